/**
 * Names and values in two columns, with or without a title.
 */
import * as React from 'react';

interface IEntriesProps {
  readonly entries: readonly (readonly [string, string])[];
}

/** Names and values in two columns; long names break after underscores, dots and slashes. */
export function EntryList({ entries }: IEntriesProps): React.JSX.Element {
  return (
    <dl className="jp-MLOpsRun-entries">
      {entries.map(([key, value], place) => (
        // By its place: a frame may have two columns of one name.
        <React.Fragment key={place}>
          <dt>
            {key.split(/(?<=[_./])(?=[^_./])/).map((part, at) => (
              <React.Fragment key={at}>
                {at > 0 && <wbr />}
                {part}
              </React.Fragment>
            ))}
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
