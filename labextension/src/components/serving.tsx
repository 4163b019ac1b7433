/**
 * Serve a version of a model, stop it, and try it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IServing } from '../serving';
import { findServed, PAUSE_MS, serveUntilReady } from '../serving';
import type { IServed } from '../servingapi';
import type { IProblem, IWholeModelVersion } from '../tokens';
import { readProblem } from '../tokens';
import type { IAnswer } from './answer';
import { Pending, useAnswer } from './answer';
import { SmallButton } from './changebar';
import { PredictForm } from './predictform';

export interface IServingProps {
  readonly version: IWholeModelVersion;
  readonly serving: IServing;
  /** Changes each time that the page is fresh: what is served may have ended by itself. */
  readonly beat: unknown;
  readonly locale: string;
  readonly trans: TranslationBundle;
}

interface IServedState {
  readonly answer: IAnswer<readonly IServed[]>;
  readonly served: IServed | null;
  readonly ask: () => void;
}

/** What is served, asked with each beat, and more often while something starts or stops. */
function useServed(props: IServingProps): IServedState {
  const { version, serving, beat } = props;
  const [tick, setTick] = React.useState(0);
  const answer = useAnswer(serving.list, [beat, tick]);
  const served = findServed(answer.value ?? [], version.name, version.version);
  const isUnderWay =
    served?.status === 'starting' || served?.status === 'stopping';
  React.useEffect(() => {
    if (!isUnderWay) {
      return;
    }
    const timer = setTimeout(() => setTick(count => count + 1), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [isUnderWay, answer.value]);
  return { answer, served, ask: () => setTick(count => count + 1) };
}

function State(props: {
  readonly served: IServed | null;
  readonly trans: TranslationBundle;
}): React.JSX.Element {
  const { served, trans } = props;
  switch (served?.status) {
    case 'starting':
      return <p role="status">{trans.__('Starting, in its own process…')}</p>;
    case 'stopping':
      return <p role="status">{trans.__('Stopping…')}</p>;
    case 'serving':
      return (
        <p role="status">
          {trans.__('Served at')} <code>{served.url}</code>
        </p>
      );
    case 'ended':
      return (
        <p className="jp-MLOpsFilter-problem" role="alert">
          {trans.__('It is not served any more:')} {served.problem?.message}{' '}
          {served.problem?.hint}
        </p>
      );
    default:
      return <p role="status">{trans.__('It is not served.')}</p>;
  }
}

interface IButtonsProps extends IServingProps {
  readonly served: IServed | null;
  readonly onChanged: () => void;
}

function Buttons(props: IButtonsProps): React.JSX.Element {
  const { version, serving, served, trans, onChanged } = props;
  const [problem, setProblem] = React.useState<IProblem | null>(null);
  const [isBusy, setIsBusy] = React.useState(false);
  const change = (ask: () => Promise<unknown>) => {
    setIsBusy(true);
    setProblem(null);
    ask()
      .catch((error: unknown) => setProblem(readProblem(error)))
      .finally(() => {
        setIsBusy(false);
        onChanged();
      });
  };
  const status = served?.status;
  const isUp = status === 'starting' || status === 'serving';
  const { url = null, token = null } = served ?? {};
  return (
    <>
      <div className="jp-MLOpsRunButtons">
        {isUp ? (
          <SmallButton
            label={trans.__('Stop')}
            isOff={isBusy}
            onClick={() => change(() => serving.stop(version.version))}
          />
        ) : (
          <SmallButton
            label={trans.__('Serve')}
            isOff={isBusy || status === 'stopping'}
            title={trans.__('Answer predictions on a port of the server')}
            onClick={() => change(() => serving.start(version.version))}
          />
        )}
        {url !== null && (
          <SmallButton
            label={trans.__('Copy the address')}
            onClick={() => serving.copy(url)}
          />
        )}
        {url !== null && token !== null && (
          <SmallButton
            label={trans.__('Copy the token')}
            title={trans.__(
              'Requests to the address need it, as Authorization: Bearer TOKEN'
            )}
            onClick={() => serving.copy(token)}
          />
        )}
      </div>
      {problem && (
        <p className="jp-MLOpsFilter-problem" role="alert">
          {trans.__('Not changed.')} {problem.message} {problem.hint}
        </p>
      )}
    </>
  );
}

function Others(props: {
  readonly served: readonly IServed[];
  readonly version: IWholeModelVersion;
  readonly trans: TranslationBundle;
}): React.JSX.Element | null {
  const { served, version, trans } = props;
  const others = served.filter(
    each =>
      each.status !== 'ended' &&
      !(each.name === version.name && each.version === version.version)
  );
  const names = others.map(each => `${each.name}/${each.version}`);
  return names.length > 0 ? (
    <p className="jp-MLOpsCard-small">
      {trans.__('Also served: %1', names.join(', '))}
    </p>
  ) : null;
}

/** The part of a version's page that serves it. */
export function ServingView(props: IServingProps): React.JSX.Element {
  const { version, serving, locale, trans } = props;
  const { answer, served, ask } = useServed(props);
  const { signature } = version;
  const predict = async (inputs: readonly unknown[]) => {
    try {
      if (served?.status !== 'serving') {
        const start = serveUntilReady(serving, version.name, version.version);
        ask();
        await start;
      }
      return await serving.predict(version.version, inputs);
    } finally {
      ask(); // it may have died of it
    }
  };
  return (
    <section aria-label={trans.__('Serve')}>
      <h2>{trans.__('Serve version %1', version.version)}</h2>
      {signature === null ? (
        <p>
          {trans.__(
            'It cannot be served without a signature. Register the model again with an example of its inputs.'
          )}
        </p>
      ) : (
        <>
          <Pending answer={answer} trans={trans} />
          {answer.value && (
            <>
              <State served={served} trans={trans} />
              <Buttons {...props} served={served} onChanged={ask} />
              <Others served={answer.value} version={version} trans={trans} />
              <h3>{trans.__('Try a prediction')}</h3>
              <PredictForm
                signature={signature}
                inputCount={version.input_count}
                isServing={served?.status === 'serving'}
                locale={locale}
                trans={trans}
                onPredict={predict}
              />
            </>
          )}
        </>
      )}
    </section>
  );
}
