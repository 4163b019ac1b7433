/**
 * One version of a model whole: where it comes from, what it takes and gives, how it compares.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IModelField, IWholeModelVersion } from '../tokens';
import { Pending, useAnswer } from './answer';
import { SmallButton } from './changebar';
import { formatMetric, formatSize, sortMetrics } from './format';
import { compareVersions, describeField } from './modelcompare';
import type { IModelPageProps } from './modelpage';
import { Entries } from './entries';
import { ServingView } from './serving';

/** What most teams call the version that is used. */
const CHAMPION = 'champion';

/** Enough to tell two values apart, and still one line. */
const DIGITS = 10;

/** Digests as they stand everywhere else in the panel. */
const short = (digest: string) => digest.slice(0, 12);

interface IFieldsProps {
  readonly title: string;
  readonly fields: readonly IModelField[];
  readonly count: number;
  readonly locale: string;
  readonly trans: TranslationBundle;
}

function Fields(props: IFieldsProps): React.JSX.Element | null {
  const { title, fields, count, locale, trans } = props;
  if (fields.length === 0) {
    return null;
  }
  return (
    <>
      <Entries
        title={title}
        entries={fields.map(field => [
          field.name,
          describeField(field, locale)
        ])}
      />
      {count > fields.length && (
        <p>
          {trans._n(
            '%1 more is not listed here.',
            '%1 more are not listed here.',
            count - fields.length
          )}
        </p>
      )}
    </>
  );
}

function Lineage(props: {
  readonly version: IWholeModelVersion;
  readonly locale: string;
  readonly trans: TranslationBundle;
}): React.JSX.Element {
  const { version, locale, trans } = props;
  const facts: [string, string | null][] = [
    [trans.__('Class'), version.model_class],
    [trans.__('Saved as'), version.flavor],
    [trans.__('Size'), formatSize(version.size_bytes, locale)],
    [trans.__('Digest'), short(version.digest)],
    [trans.__('Run'), version.run_id],
    [trans.__('Data'), version.datasets.map(short).join(', ')],
    [
      trans.__('Environment'),
      version.environment && short(version.environment)
    ],
    [trans.__('Code'), version.code && short(version.code)]
  ];
  return (
    <Entries
      title={trans.__('Where it comes from')}
      entries={facts.filter((fact): fact is [string, string] => !!fact[1])}
    />
  );
}

/** Which version to measure by: the champion, else another that has an alias, else the one before. */
export function chooseOther(
  shown: number,
  aliases: Readonly<Record<string, number>>,
  versions: readonly number[]
): number | null {
  const named = [aliases[CHAMPION], ...Object.values(aliases)].find(
    version => version !== undefined && version !== shown
  );
  const lower = versions.filter(version => version < shown);
  return named ?? (lower.length > 0 ? Math.max(...lower) : null);
}

function Differences(
  props: IModelPageProps & {
    readonly one: IWholeModelVersion;
    readonly other: IWholeModelVersion;
  }
): React.JSX.Element {
  const { one, other, locale, trans } = props;
  const rows = compareVersions(one, other, locale, trans);
  if (rows.length === 0) {
    return <p role="status">{trans.__('Nothing that is kept differs.')}</p>;
  }
  return (
    <div
      className="jp-MLOpsTable-wide"
      role="region"
      tabIndex={0}
      aria-label={trans.__('Differences')}
    >
      <table className="jp-MLOpsTable">
        <thead>
          <tr>
            <td />
            <th scope="col">{trans.__('Version %1', other.version)}</th>
            <th scope="col">{trans.__('Version %1', one.version)}</th>
            <th scope="col">{trans.__('Change')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={row.key}>
              <th scope="row">{row.key}</th>
              <td>{row.other}</td>
              <td>{row.one}</td>
              <td className="jp-mod-number">{row.change}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Comparison(
  props: IModelPageProps & { readonly one: IWholeModelVersion }
): React.JSX.Element | null {
  const { model, one, questions, trans } = props;
  const known = [
    ...new Set([
      ...Object.values(model.aliases),
      ...model.versions.map(version => version.version)
    ])
  ].filter(version => version !== one.version);
  const [chosen, setChosen] = React.useState<number | null>(null);
  const wanted = chosen ?? chooseOther(one.version, model.aliases, known);
  const answer = useAnswer(
    () =>
      wanted === null ? Promise.resolve(null) : questions.onVersion(wanted),
    [wanted, model.change_count]
  );
  if (wanted === null) {
    return null;
  }
  const other = answer.value?.version === wanted ? answer.value : null;
  const name = (version: number) =>
    [
      trans.__('Version %1', version),
      ...Object.entries(model.aliases)
        .filter(([, named]) => named === version)
        .map(([alias]) => alias)
    ].join(' · ');
  return (
    <section aria-label={trans.__('Comparison')}>
      <h2>{trans.__('Compared')}</h2>
      <div className="jp-MLOpsForm">
        <select
          className="jp-MLOpsSelect jp-mod-short"
          aria-label={trans.__('Compare with')}
          value={wanted}
          onChange={event => setChosen(Number(event.target.value))}
        >
          {known.map(version => (
            <option key={version} value={version}>
              {name(version)}
            </option>
          ))}
        </select>
        {other !== null && one.run_id !== null && other.run_id !== null && (
          <SmallButton
            label={trans.__('Compare their runs')}
            isOff={one.run_id === other.run_id}
            onClick={() => questions.onCompareRuns([other, one])}
          />
        )}
      </div>
      {other === null ? (
        <Pending answer={{ ...answer, value: null }} trans={trans} />
      ) : (
        <Differences {...props} other={other} />
      )}
    </section>
  );
}

/** Everything that is kept about one version. */
export function VersionView(
  props: IModelPageProps & { readonly shown: number }
): React.JSX.Element {
  const { model, shown, questions, locale, trans } = props;
  // A version never changes, but its aliases do.
  const answer = useAnswer(
    () => questions.onVersion(shown),
    [shown, model.change_count]
  );
  const version = answer.value;
  return (
    <>
      <section aria-label={trans.__('Version %1', shown)}>
        <h2>{trans.__('Version %1', shown)}</h2>
        <Pending answer={answer} trans={trans} />
        {version && (
          <div className="jp-MLOpsGrid jp-mod-facts">
            <div>
              <Entries
                title={trans.__('Metrics')}
                entries={sortMetrics(version.metrics).map(([key, value]) => [
                  key,
                  formatMetric(value, locale, DIGITS)
                ])}
              />
              <Lineage version={version} locale={locale} trans={trans} />
            </div>
            <div>
              {version.signature === null ? (
                <p>
                  {trans.__(
                    'It was registered without a signature: what it takes is not known.'
                  )}
                </p>
              ) : (
                <>
                  <Fields
                    title={trans.__('Takes')}
                    fields={version.signature.inputs}
                    count={version.input_count}
                    locale={locale}
                    trans={trans}
                  />
                  <Fields
                    title={trans.__('Gives')}
                    fields={version.signature.outputs}
                    count={version.signature.outputs.length}
                    locale={locale}
                    trans={trans}
                  />
                </>
              )}
            </div>
          </div>
        )}
      </section>
      {version && (
        <ServingView
          version={version}
          serving={questions.serving}
          beat={model}
          locale={locale}
          trans={trans}
        />
      )}
      {version && <Comparison {...props} one={version} />}
    </>
  );
}
