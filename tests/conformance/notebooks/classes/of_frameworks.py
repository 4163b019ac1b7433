"""Classes made by frameworks: pydantic models, attrs, typed dicts, tables of an ORM.

expected: equal
"""
# %% [imports]
import attrs
from pydantic import BaseModel, Field, field_validator
from typing import NamedTuple, TypedDict
from sqlalchemy import String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
# %% [step:define]
class Item(BaseModel):
    name: str
    price: float = Field(gt=0)
    tags: list[str] = []
    @field_validator("name")
    @classmethod
    def clean(cls, value):
        return value.strip()
@attrs.define
class Box:
    items: list = attrs.field(factory=list)
class Row(NamedTuple):
    a: int
    b: str = "x"
class Options(TypedDict, total=False):
    n: int
class Base(DeclarativeBase):
    pass
class Till(Base):
    __tablename__ = "till"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))
item, box, row = Item(name=" tea ", price=2), Box(), Row(1)
options: Options = {"n": 1}
# %% [step:use]
box.items.append(item)
engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
# %% [step:check]
item.tags.append("hot")
with Session(engine) as session:
    session.add(Till(id=1, name="north"))
    session.commit()
    names = session.scalars(select(Till.name)).all()
text = item.model_dump_json()
print(text, isinstance(box.items[0], Item), box.items[0] is item, row, names, type(row) is Row)
del engine, session, item, box
