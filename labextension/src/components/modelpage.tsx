/**
 * A registered model as a page: its versions, what became of its aliases, and one version whole.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type {
  IModelChange,
  IModelDetails,
  IModelVersion,
  IWholeModelVersion
} from '../tokens';
import { formatMetric, has, pickKeyMetrics } from './format';
import { Aliases, shortenClass } from './modellist';
import { Pager } from './pager';
import type { IServing } from '../serving';
import type { IPromote } from './promote';
import { PromoteForm, RollbackForm } from './promote';
import { VersionView } from './version';

/** So many metrics have a column of their own. */
const METRIC_COLUMNS = 4;

/** What the page asks of the server. */
export interface IModelQuestions {
  readonly onVersion: (version: number) => Promise<IWholeModelVersion>;
  readonly onPromote: IPromote;
  readonly serving: IServing;
  readonly onTurnTo: (offset: number) => void;
  readonly onOpenRun: (runId: string) => void;
  readonly onCompareRuns: (versions: readonly IModelVersion[]) => void;
}

export interface IModelPageProps {
  readonly model: IModelDetails;
  readonly questions: IModelQuestions;
  readonly locale: string;
  readonly trans: TranslationBundle;
}

/** A moment as people of this language write it. */
export const formatMoment = (moment: string, locale: string) =>
  new Date(moment).toLocaleString(locale, {
    dateStyle: 'medium',
    timeStyle: 'short'
  });

interface IVersionsProps extends IModelPageProps {
  readonly shown: number;
  readonly onShow: (version: number) => void;
}

function VersionRow(
  props: IVersionsProps & {
    readonly version: IModelVersion;
    readonly keys: readonly string[];
  }
): React.JSX.Element {
  const { version, keys, shown, questions, locale, trans } = props;
  const runId = version.run_id;
  return (
    <tr data-shown={version.version === shown}>
      <th scope="row">
        <button
          type="button"
          className="jp-MLOpsLink"
          aria-pressed={version.version === shown}
          aria-label={trans.__('Show version %1', version.version)}
          onClick={() => props.onShow(version.version)}
        >
          {trans.__('v%1', version.version)}
        </button>{' '}
        <Aliases
          aliases={version.aliases.map(alias => [alias, null])}
          trans={trans}
        />
      </th>
      {version.is_damaged ? (
        <td colSpan={keys.length + 3}>
          {trans.__('Its record cannot be read. Restore it from a backup.')}
        </td>
      ) : (
        <>
          {keys.map(key => (
            <td key={key} className="jp-mod-number">
              {has(version.metrics, key)
                ? formatMetric(version.metrics[key] ?? 'NaN', locale, 6)
                : '–'}
            </td>
          ))}
          <td>{shortenClass(version.model_class)}</td>
          <td>
            {formatMoment(version.registered_at, locale)}
            {version.user && ` · ${version.user}`}
          </td>
          <td>
            {runId === null ? (
              '–'
            ) : (
              <button
                type="button"
                className="jp-MLOpsLink"
                onClick={() => questions.onOpenRun(runId)}
              >
                {runId.slice(-8)}
              </button>
            )}
          </td>
        </>
      )}
    </tr>
  );
}

function Versions(props: IVersionsProps): React.JSX.Element {
  const { model, questions, trans } = props;
  const keys = pickKeyMetrics(
    model.versions.map(version => version.metrics),
    METRIC_COLUMNS
  );
  const heads = [
    trans.__('Version'),
    ...keys,
    trans.__('Class'),
    trans.__('Registered'),
    trans.__('Run')
  ];
  const last = model.offset + model.versions.length;
  return (
    <section aria-label={trans.__('Versions')}>
      <h2>{trans.__('Versions')}</h2>
      <div
        className="jp-MLOpsTable-wide"
        role="region"
        tabIndex={0}
        aria-label={trans.__('Table of versions')}
      >
        <table className="jp-MLOpsTable">
          <thead>
            <tr>
              {heads.map((head, place) => (
                <th
                  key={head}
                  scope="col"
                  className={
                    place > 0 && place <= keys.length ? 'jp-mod-number' : ''
                  }
                >
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {model.versions.map(version => (
              <VersionRow
                {...props}
                key={version.version}
                version={version}
                keys={keys}
              />
            ))}
          </tbody>
        </table>
      </div>
      <Pager
        label={trans.__('Pages of versions')}
        words={trans.__(
          '%1 to %2 of %3',
          model.offset + 1,
          last,
          model.version_count
        )}
        offset={model.offset}
        limit={model.limit}
        hasMore={last < model.version_count}
        trans={trans}
        onTurnTo={questions.onTurnTo}
      />
    </section>
  );
}

function describeChange(
  change: IModelChange,
  trans: TranslationBundle
): string {
  const { alias, version, before } = change;
  switch (change.event) {
    case 'model.registered':
      return trans.__('Version %1 registered', version);
    case 'alias.deleted':
      return trans.__('%1 taken away; it named version %2', alias, before);
    case 'alias.set':
      return before === null
        ? trans.__('%1 names version %2', alias, version)
        : trans.__('%1 moved from version %2 to %3', alias, before, version);
  }
}

function History(props: IModelPageProps): React.JSX.Element {
  const { model, questions, locale, trans } = props;
  const hidden = model.change_count - model.changes.length;
  // Only what was done last with an alias can be undone.
  const undoable = new Map<string, IModelChange>();
  for (const change of model.changes) {
    if (change.alias !== null && !undoable.has(change.alias)) {
      undoable.set(change.alias, change);
    }
  }
  return (
    <section aria-label={trans.__('History')}>
      <h2>{trans.__('History')}</h2>
      <ol className="jp-MLOpsHistory" reversed>
        {model.changes.map((change, place) => (
          // From the oldest on, so that none is another's when something is done meanwhile.
          <li key={model.change_count - place}>
            <span>{describeChange(change, trans)}</span>
            {change.reason && (
              <q className="jp-MLOpsHistory-reason">{change.reason}</q>
            )}
            <span className="jp-MLOpsCard-small">
              {formatMoment(change.at, locale)}
              {change.user && ` · ${change.user}`}
            </span>
            {change.alias !== null &&
              change.before !== null &&
              undoable.get(change.alias) === change && (
                <RollbackForm
                  alias={change.alias}
                  version={change.before}
                  trans={trans}
                  onPromote={questions.onPromote}
                />
              )}
          </li>
        ))}
      </ol>
      {hidden > 0 && (
        <p>
          {trans._n(
            '%1 older change is not shown; mlops-nb audit lists it.',
            '%1 older changes are not shown; mlops-nb audit lists them.',
            hidden
          )}
        </p>
      )}
    </section>
  );
}

export function ModelPageView(props: IModelPageProps): React.JSX.Element {
  const { model, questions, trans } = props;
  // The newest is what somebody comes for, and stays: one that is registered, or a page that is
  // turned, meanwhile must not put another under a button that is about to be pressed.
  const newest = model.versions[0]?.version ?? null;
  const [chosen, setChosen] = React.useState(newest);
  const shown = chosen ?? newest;
  return (
    <>
      <h1>{model.name}</h1>
      <Aliases aliases={Object.entries(model.aliases)} trans={trans} />
      {shown !== null && (
        <>
          <Versions {...props} shown={shown} onShow={setChosen} />
          <VersionView {...props} key={shown} shown={shown} />
          <PromoteForm
            key={`promote ${shown}`}
            version={shown}
            aliases={model.aliases}
            trans={trans}
            onPromote={questions.onPromote}
          />
        </>
      )}
      <History {...props} />
    </>
  );
}
