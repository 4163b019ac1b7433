/**
 * Registered models as a list: one row a model, which opens its page.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IModelsPage, IModelSummary } from '../tokens';
import { formatAge, formatMetric, pickKeyMetrics } from './format';
import { Pager } from './pager';
import { CopyLine } from './states';

/** So many metrics of the newest version stand in a row. */
const METRICS_IN_ROW = 3;

/** The line that registers a model. */
export const REGISTER_LINE =
  'mlops.register_model(model, name="my-model", alias="champion")';

/** Aliases as small marks, each with the version that it names where that is not plain. */
export function Aliases(props: {
  readonly aliases: readonly (readonly [string, number | null])[];
  readonly trans: TranslationBundle;
}): React.JSX.Element | null {
  const { aliases, trans } = props;
  if (aliases.length === 0) {
    return null;
  }
  return (
    <span className="jp-MLOpsAliases">
      {aliases.map(([alias, version]) => (
        <span className="jp-MLOpsAlias" key={alias} title={alias}>
          <span className="jp-MLOpsAlias-name">{alias}</span>
          {version !== null && (
            <span className="jp-MLOpsAlias-version">
              {' '}
              {trans.__('v%1', version)}
            </span>
          )}
        </span>
      ))}
    </span>
  );
}

/** The class of a model without its module. */
export const shortenClass = (name: string) => name.split('.').pop() ?? name;

interface IModelRowProps {
  readonly model: IModelSummary;
  readonly now: number;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onOpen: (name: string) => void;
}

function ModelRow(props: IModelRowProps): React.JSX.Element {
  const { model, now, locale, trans } = props;
  const { newest } = model;
  const registered = Date.parse(newest.registered_at);
  const keys = pickKeyMetrics([newest.metrics], METRICS_IN_ROW);
  return (
    <li className="jp-MLOpsModel">
      <button
        type="button"
        className="jp-MLOpsRun-summary"
        onClick={() => props.onOpen(model.name)}
      >
        <span className="jp-MLOpsRun-main">
          <span className="jp-MLOpsRun-line">
            <span className="jp-MLOpsRun-name" title={model.name}>
              {model.name}
            </span>
            <span className="jp-MLOpsRun-caret" aria-hidden>
              <caretRightIcon.react tag="span" />
            </span>
          </span>{' '}
          <Aliases aliases={Object.entries(model.aliases)} trans={trans} />{' '}
          {newest.is_damaged ? (
            <span className="jp-MLOpsRun-line jp-MLOpsRun-facts">
              {trans.__(
                'The record of version %1 cannot be read',
                newest.version
              )}
            </span>
          ) : (
            <span className="jp-MLOpsRun-line jp-MLOpsRun-facts">
              <span className="jp-MLOpsModel-class">
                {trans._n('%1 version', '%1 versions', model.version_count)}
                {newest.model_class && ` · ${shortenClass(newest.model_class)}`}
              </span>{' '}
              <time
                dateTime={newest.registered_at}
                title={new Date(registered).toLocaleString(locale)}
              >
                {formatAge(registered, now, locale)}
              </time>
            </span>
          )}{' '}
          {keys.length > 0 && (
            <span className="jp-MLOpsRun-metrics">
              {keys.map(key => (
                <span className="jp-MLOpsRun-metric" key={key}>
                  <span className="jp-MLOpsRun-metricKey" title={key}>
                    {key}
                  </span>{' '}
                  <span className="jp-MLOpsRun-metricValue">
                    {formatMetric(newest.metrics[key] ?? 'NaN', locale)}
                  </span>
                </span>
              ))}
            </span>
          )}
        </span>
      </button>
    </li>
  );
}

function NoModels(props: {
  readonly trans: TranslationBundle;
  readonly onCopy: (text: string) => void;
}): React.JSX.Element {
  const { trans } = props;
  return (
    <div className="jp-MLOpsState" role="status">
      <p className="jp-MLOpsState-title">
        {trans.__('No model is registered yet')}
      </p>
      <p>
        {trans.__(
          'Register a fitted model, and its versions appear here. It keeps the run, the data and the environment that it comes from.'
        )}
      </p>
      <CopyLine line={REGISTER_LINE} trans={trans} onCopy={props.onCopy} />
    </div>
  );
}

export interface IModelListProps {
  readonly page: IModelsPage;
  readonly now: number;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onOpen: (name: string) => void;
  readonly onTurnTo: (offset: number) => void;
  readonly onCopy: (text: string) => void;
}

export function ModelList(props: IModelListProps): React.JSX.Element {
  const { page, trans } = props;
  if (page.models.length === 0 && page.offset === 0) {
    return <NoModels trans={trans} onCopy={props.onCopy} />;
  }
  return (
    <>
      <ul
        className="jp-MLOpsRunList"
        role="list"
        aria-label={trans.__('Models')}
      >
        {page.models.map(model => (
          <ModelRow key={model.name} {...props} model={model} />
        ))}
      </ul>
      <Pager
        label={trans.__('Pages of models')}
        words={trans.__(
          'Models %1 to %2',
          page.offset + 1,
          page.offset + page.models.length
        )}
        offset={page.offset}
        limit={page.limit}
        hasMore={page.has_more}
        trans={trans}
        onTurnTo={props.onTurnTo}
      />
    </>
  );
}
