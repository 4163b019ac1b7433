"""Pictures are opened lazily: their format, name and pixels are used steps later.

expected: equal
"""
# %% [imports]
from PIL import Image
# %% [step:make]
Image.new("RGB", (4, 3), "red").save("red.png")
picture = Image.open("red.png")
copied = picture.convert("L")
# %% [step:use]
size = picture.size
# %% [step:check]
print(picture.format, picture.filename, picture.mode, size, picture.getpixel((0, 0)), copied.getpixel((0, 0)))
del picture, copied
