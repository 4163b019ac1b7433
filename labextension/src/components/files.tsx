/**
 * Figures and files of a run.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IArtifact } from '../tokens';
import { readProblem } from '../tokens';
import { Pending, useAnswer } from './answer';
import { formatSize } from './format';
import { explainProblem } from './states';

/** Larger pictures are saved, not shown. */
const LARGEST_SHOWN = 5_000_000;

/** So many pictures, or lines of a list, come at once. */
const PICTURES_AT_ONCE = 12;
const FILES_AT_ONCE = 50;

/** A picture by its name; what its bytes are, only the browser's own reader of pictures decides. */
const isPicture = (artifact: IArtifact) =>
  artifact.media_type.startsWith('image/') &&
  artifact.size_bytes <= LARGEST_SHOWN;

export interface IFilesProps {
  readonly artifacts: readonly IArtifact[];
  readonly count: number;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onRead: (path: string) => Promise<Blob>;
}

interface IFigureProps {
  readonly artifact: IArtifact;
  readonly trans: TranslationBundle;
  readonly onRead: (path: string) => Promise<Blob>;
}

function Figure(props: IFigureProps): React.JSX.Element {
  const { artifact, trans, onRead } = props;
  const answer = useAnswer(() => onRead(artifact.path), [artifact.digest]);
  const [address, setAddress] = React.useState<string | null>(null);
  React.useEffect(() => {
    if (answer.value === null) {
      return;
    }
    // Within <img> neither scripts nor links of an SVG do anything.
    const typed = new Blob([answer.value], { type: artifact.media_type });
    const made = URL.createObjectURL(typed);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [answer.value]);
  return (
    <figure className="jp-MLOpsFigure">
      <Pending answer={answer} trans={trans} />
      {address !== null && <img src={address} alt={artifact.path} />}
      <figcaption title={artifact.path}>{artifact.path}</figcaption>
    </figure>
  );
}

export function Figures(props: IFilesProps): React.JSX.Element | null {
  const { trans } = props;
  const [shown, setShown] = React.useState(PICTURES_AT_ONCE);
  const pictures = props.artifacts.filter(isPicture);
  if (pictures.length === 0) {
    return null;
  }
  return (
    <section aria-label={trans.__('Figures')}>
      <h2>{trans.__('Figures')}</h2>
      <div className="jp-MLOpsGrid">
        {pictures.slice(0, shown).map(artifact => (
          <Figure
            key={artifact.path}
            artifact={artifact}
            trans={trans}
            onRead={props.onRead}
          />
        ))}
      </div>
      {pictures.length > shown && (
        <button
          type="button"
          className="jp-MLOpsButton jp-mod-styled"
          onClick={() => setShown(shown + PICTURES_AT_ONCE)}
        >
          {trans.__('Show more figures')}
        </button>
      )}
    </section>
  );
}

/** Give a file to the person's own disk. */
function save(content: Blob, path: string): void {
  const link = document.createElement('a');
  // Whatever it is, it is a file to keep and no page to open.
  const typed = new Blob([content], { type: 'application/octet-stream' });
  link.href = URL.createObjectURL(typed);
  link.download = path.split('/').pop() ?? path;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function FileRow(
  props: IFilesProps & { readonly artifact: IArtifact }
): React.JSX.Element {
  const { artifact, locale, trans } = props;
  const [problem, setProblem] = React.useState('');
  const onSave = () => {
    setProblem('');
    props.onRead(artifact.path).then(
      content => save(content, artifact.path),
      (error: unknown) => {
        const found = readProblem(error);
        // Some problems have no message of their own.
        const { title } = explainProblem(found, trans);
        setProblem([title, found.message].filter(Boolean).join('. '));
      }
    );
  };
  return (
    <tr>
      <th scope="row">{artifact.path}</th>
      <td className="jp-mod-number">
        {formatSize(artifact.size_bytes, locale)}
      </td>
      <td>
        <button
          type="button"
          className="jp-MLOpsButton jp-mod-styled"
          aria-label={trans.__('Save %1', artifact.path)}
          onClick={onSave}
        >
          {trans.__('Save')}
        </button>
        {problem && <span role="alert"> {problem}</span>}
      </td>
    </tr>
  );
}

export function Files(props: IFilesProps): React.JSX.Element | null {
  const { artifacts, count, trans } = props;
  const [shown, setShown] = React.useState(FILES_AT_ONCE);
  if (artifacts.length === 0) {
    return null;
  }
  return (
    <section aria-label={trans.__('Files')}>
      <h2>{trans.__('Files')}</h2>
      <table className="jp-MLOpsTable">
        <thead>
          <tr>
            <th scope="col">{trans.__('Name')}</th>
            <th scope="col">{trans.__('Size')}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {artifacts.slice(0, shown).map(artifact => (
            <FileRow {...props} key={artifact.path} artifact={artifact} />
          ))}
        </tbody>
      </table>
      {artifacts.length > shown && (
        <button
          type="button"
          className="jp-MLOpsButton jp-mod-styled"
          onClick={() => setShown(shown + FILES_AT_ONCE)}
        >
          {trans.__('Show more files')}
        </button>
      )}
      {count > artifacts.length && (
        <p>
          {trans._n(
            '%1 more is not listed here.',
            '%1 more are not listed here.',
            count - artifacts.length
          )}
        </p>
      )}
    </section>
  );
}
