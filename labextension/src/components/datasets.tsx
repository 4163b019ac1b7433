/**
 * The data sets of the last runs: their versions, what differs between two, what they hold.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type {
  IDatasetProfile,
  IDatasetSummary,
  IDatasetVersion
} from '../datawords';
import { OutlineTable } from './outline';
import { ProfileTable } from './profile';
import { formatAge, formatSize } from './format';

/** So many data sets are listed before somebody asks for more. */
const DATASETS_AT_ONCE = 20;

export interface IDatasetsProps {
  readonly datasets: readonly IDatasetSummary[];
  readonly now: number;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onProfile: (version: IDatasetVersion) => Promise<IDatasetProfile>;
  readonly onOpenRun: (runId: string) => void;
}

interface IDatasetProps extends Omit<IDatasetsProps, 'datasets'> {
  readonly dataset: IDatasetSummary;
}

/** Versions are counted from the oldest that is known. */
const number = (dataset: IDatasetSummary, place: number) =>
  dataset.version_count - place;

function describe(
  version: IDatasetVersion,
  { locale, trans }: IDatasetProps
): string {
  const shape = version.shape.join(' × ');
  const size = formatSize(version.size_bytes, locale);
  return [shape, size, version.is_kept ? trans.__('bytes kept') : '']
    .filter(Boolean)
    .join(' · ');
}

function Versions(props: IDatasetProps): React.JSX.Element {
  const { dataset, now, locale, trans, onOpenRun } = props;
  return (
    <ol className="jp-MLOpsVersions" aria-label={trans.__('Versions')}>
      {dataset.versions.map((version, place) => (
        <li key={version.fingerprint}>
          <strong>{trans.__('Version %1', number(dataset, place))}</strong>{' '}
          <code title={version.fingerprint}>
            {version.fingerprint.replace('sampled-', '').slice(0, 8)}
          </code>{' '}
          <span>{describe(version, props)}</span>
          <br />
          <span className="jp-MLOpsLive-facts">
            {trans._n('%1 run, last ', '%1 runs, last ', version.run_count)}
            <button
              type="button"
              className="jp-MLOpsLink"
              onClick={() => onOpenRun(version.run_id)}
            >
              {version.run_name}
            </button>
            {', '}
            {formatAge(Date.parse(version.last_at), now, locale)}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** What differs between the last version and another that a person chooses. */
function Differences(props: IDatasetProps): React.JSX.Element | null {
  const { dataset, trans, locale } = props;
  // By what it is: the next run moves each version on by a place.
  const [chosen, setChosen] = React.useState<string | null>(null);
  const [last, before] = dataset.versions;
  const other =
    dataset.versions
      .slice(1)
      .find(({ fingerprint }) => fingerprint === chosen) ?? before;
  if (!last) {
    return null;
  }
  return (
    <>
      {other && (
        <>
          <label className="jp-MLOpsData-choice">
            {trans.__('Version %1 against', number(dataset, 0))}{' '}
            <select
              className="jp-MLOpsInput"
              value={other.fingerprint}
              onChange={event => setChosen(event.target.value)}
            >
              {dataset.versions.map(
                ({ fingerprint }, at) =>
                  at > 0 && (
                    <option key={fingerprint} value={fingerprint}>
                      {trans.__('version %1', number(dataset, at))}
                    </option>
                  )
              )}
            </select>
          </label>
          <OutlineTable
            before={other}
            after={last}
            locale={locale}
            trans={trans}
          />
        </>
      )}
      <ProfileTable
        key={other?.fingerprint}
        before={other ?? null}
        after={last}
        locale={locale}
        trans={trans}
        onProfile={props.onProfile}
      />
    </>
  );
}

function Dataset(props: IDatasetProps): React.JSX.Element {
  const { dataset, trans } = props;
  const [isOpen, setIsOpen] = React.useState(false);
  const id = React.useId();
  const [last] = dataset.versions;
  return (
    <li className="jp-MLOpsData">
      <button
        type="button"
        className="jp-MLOpsSuspect-cell"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setIsOpen(!isOpen)}
      >
        <span className="jp-MLOpsData-caret" aria-hidden>
          <caretRightIcon.react tag="span" />
        </span>
        <span className="jp-MLOpsRun-name" title={dataset.name}>
          {dataset.name}
        </span>{' '}
        <span className="jp-MLOpsLive-facts">
          {last && last.shape.length > 0 && `${last.shape.join(' × ')} · `}
          {trans._n('%1 version', '%1 versions', dataset.version_count)}
        </span>
      </button>
      {isOpen && (
        <div id={id} className="jp-MLOpsData-details">
          <Differences {...props} />
          <Versions {...props} />
        </div>
      )}
    </li>
  );
}

export function DatasetList(props: IDatasetsProps): React.JSX.Element {
  const { datasets, trans } = props;
  const [shown, setShown] = React.useState(DATASETS_AT_ONCE);
  const title = trans.__('Data');
  return (
    <section aria-label={title}>
      <h4 className="jp-MLOpsNotebook-title">{title}</h4>
      {datasets.length === 0 ? (
        <p>
          {trans.__(
            'No run has used data yet. Frames that models are fitted to, and files that cells read, appear here.'
          )}
        </p>
      ) : (
        <ul className="jp-MLOpsLive" aria-label={title}>
          {datasets.slice(0, shown).map(dataset => (
            <Dataset
              {...props}
              key={`${dataset.kind} ${dataset.name}`}
              dataset={dataset}
            />
          ))}
        </ul>
      )}
      {datasets.length > shown && (
        <button
          type="button"
          className="jp-MLOpsButton jp-mod-styled"
          onClick={() => setShown(datasets.length)}
        >
          {trans.__('Show all %1', datasets.length)}
        </button>
      )}
    </section>
  );
}
