/**
 * Names and values in two columns, with or without a title.
 */
import * as React from 'react';

interface IEntriesProps {
  readonly entries: readonly (readonly [string, string])[];
}

/** A name that breaks after underscores, dots and slashes before it breaks anywhere. */
export function Breakable({ name }: { readonly name: string }) {
  return (
    <>
      {name.split(/(?<=[_./])(?=[^_./])/).map((part, place) => (
        <React.Fragment key={place}>
          {place > 0 && <wbr />}
          {part}
        </React.Fragment>
      ))}
    </>
  );
}

/** Names and values in two columns. */
export function EntryList({ entries }: IEntriesProps): React.JSX.Element {
  return (
    <dl className="jp-MLOpsRun-entries">
      {entries.map(([key, value], place) => (
        // By its place: a frame may have two columns of one name.
        <React.Fragment key={place}>
          <dt>
            <Breakable name={key} />
          </dt>
          <dd>{value}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

/** Names and values under a title; nothing where there are none. */
export function Entries(
  props: IEntriesProps & { readonly title: string }
): React.JSX.Element | null {
  if (props.entries.length === 0) {
    return null;
  }
  return (
    <>
      <h4 className="jp-MLOpsRun-group">{props.title}</h4>
      <EntryList entries={props.entries} />
    </>
  );
}
