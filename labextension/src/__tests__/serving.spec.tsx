import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as React from 'react';

import { ServingView } from '../components/serving';
import { RequestError } from '../request';
import type { IServing } from '../serving';
import { serveUntilReady } from '../serving';
import type { IPredictions, IServed } from '../servingapi';
import type { IModelField } from '../tokens';
import { makeVersion, trans } from './fixtures';
import { act, mount } from './mounting';

const evil = '<img src=x onerror=alert(1)>';

const field = (name: string, changes: Partial<IModelField> = {}) => ({
  name,
  dtype: 'float64',
  minimum: 0,
  maximum: 8,
  categories: null,
  nullable: false,
  ...changes
});

const makeServed = (changes: Partial<IServed> = {}): IServed => ({
  name: 'iris',
  version: 2,
  status: 'serving',
  url: 'http://127.0.0.1:5',
  problem: null,
  token: 'secret',
  ...changes
});

const makeAnswer = (changes: Partial<IPredictions> = {}): IPredictions => ({
  predictions: [evil],
  probabilities: [[0.25, 0.75]],
  classes: ['a', evil],
  warnings: [],
  problem: null,
  ...changes
});

/** A server that serves at the second question after a start. */
class FakeServing implements IServing {
  served: IServed[] = [];
  answer: IPredictions | Error = makeAnswer();
  failure: Error | null = null;
  becomes = makeServed();
  readonly done: string[] = [];

  list = () => {
    const found = this.served;
    this.served = found.map(each =>
      each.status === 'starting' ? this.becomes : each
    );
    return Promise.resolve(found);
  };

  start(version: number) {
    this.done.push(`start ${version}`);
    if (this.failure) {
      return Promise.reject(this.failure);
    }
    const started = makeServed({ status: 'starting', url: null });
    this.served = [started];
    return Promise.resolve(started);
  }

  stop(version: number) {
    this.done.push(`stop ${version}`);
    this.served = [];
    return Promise.resolve(null);
  }

  predict(_: number, inputs: readonly unknown[]) {
    this.done.push(JSON.stringify(inputs));
    return this.answer instanceof Error
      ? Promise.reject(this.answer)
      : Promise.resolve(this.answer);
  }

  copy(text: string) {
    this.done.push(`copy ${text}`);
  }
}

let serving: FakeServing;

beforeEach(() => {
  vi.useFakeTimers();
  serving = new FakeServing();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Let answers come and timers end. */
const settle = (milliseconds = 0) =>
  React.act(() => vi.advanceTimersByTimeAsync(milliseconds));

const version = makeVersion({
  name: 'iris',
  version: 2,
  signature: {
    inputs: [
      field('age'),
      field(evil, { dtype: 'category', categories: ['x', evil] })
    ],
    outputs: [],
    named: true
  },
  input_count: 2
});

async function show(changes: Partial<typeof version> = {}) {
  const make = (beat: number) => (
    <ServingView
      version={{ ...version, ...changes }}
      serving={serving}
      beat={beat}
      locale="en"
      trans={trans}
    />
  );
  const { node, update } = mount(make(0));
  await settle();
  return { node, refresh: () => update(make(1)) };
}

function find(node: HTMLElement, name: string): HTMLButtonElement {
  const found = [...node.querySelectorAll('button')].find(
    each => each.textContent === name
  );
  expect(found, name).toBeDefined();
  return found as HTMLButtonElement;
}

async function press(node: HTMLElement, name: string): Promise<void> {
  act(() => find(node, name).click());
  await settle();
}

/** Type into a field as a person does; React listens to the setter. */
function type(
  control: HTMLInputElement | HTMLTextAreaElement | null,
  text: string
): void {
  expect(control).not.toBeNull();
  const kind = control?.constructor as typeof HTMLInputElement;
  act(() => {
    Object.getOwnPropertyDescriptor(kind.prototype, 'value')?.set?.call(
      control,
      text
    );
    control?.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

describe('ServingView', () => {
  it('serves, tells the address, and stops', async () => {
    const { node } = await show();
    expect(node.textContent).toContain('It is not served.');
    await press(node, 'Serve');
    expect(node.textContent).toContain('Starting');
    await settle(1000);
    expect(node.querySelector('code')?.textContent).toBe('http://127.0.0.1:5');
    await press(node, 'Copy the address');
    await press(node, 'Copy the token');
    await press(node, 'Stop');
    expect(node.textContent).toContain('It is not served.');
    expect(serving.done).toEqual([
      'start 2',
      'copy http://127.0.0.1:5',
      'copy secret',
      'stop 2'
    ]);
  });

  it('says why a process has ended, and what else is served', async () => {
    serving.served = [makeServed(), makeServed({ name: evil, version: 7 })];
    const { node, refresh } = await show();
    expect(node.textContent).toContain(`Also served: ${evil}/7`);
    const problem = { message: 'ended with code -9', hint: evil };
    serving.served = [makeServed({ status: 'ended', url: null, problem })];
    refresh();
    await settle();
    expect(node.querySelector('[role=alert]')?.textContent).toContain(
      `ended with code -9 ${evil}`
    );
    expect(find(node, 'Serve').disabled).toBe(false);
    expect(node.querySelector('img')).toBeNull();
  });

  it('says what was refused', async () => {
    serving.failure = new RequestError('input', 'four are served', 'Stop one.');
    const { node } = await show();
    await press(node, 'Serve');
    expect(node.querySelector('[role=alert]')?.textContent).toContain(
      'Not changed. four are served Stop one.'
    );
  });

  it('offers nothing where no signature is known', async () => {
    const { node } = await show({ signature: null });
    expect(node.textContent).toContain('cannot be served without a signature');
    expect(node.querySelector('button')).toBeNull();
  });

  it('shows no token to who gets none', async () => {
    serving.served = [makeServed({ token: null })];
    const { node } = await show();
    expect(node.textContent).toContain('Copy the address');
    expect(node.textContent).not.toContain('Copy the token');
  });
});

describe('PredictForm', () => {
  it('serves first where it must, and shows the value as text', async () => {
    const { node } = await show();
    await press(node, 'Serve and predict');
    expect(node.textContent).toContain('Asking the model');
    await settle(2000);
    expect(serving.done).toEqual(['start 2', `[{"age":4,"${evil}":"x"}]`]);
    const text = node.textContent ?? '';
    expect(text).toContain(`Prediction: ${evil}`);
    expect(text).toContain(`Probability of ${evil}`);
    expect(text).toContain('0.75');
    expect(node.querySelector('img')).toBeNull();
    expect(find(node, 'Predict').disabled).toBe(false);
  });

  it('labels every field, and says beside it what does not fit', async () => {
    serving.served = [makeServed()];
    const { node } = await show();
    const labels = [...node.querySelectorAll('label')];
    expect(labels.map(each => each.textContent)).toEqual([
      'age float64',
      `${evil} category`
    ]);
    const input = node.querySelector<HTMLInputElement>('input');
    expect(labels[0]?.htmlFor).toBe(input?.id);
    type(input, 'old');
    serving.answer = makeAnswer({
      predictions: [],
      problem: {
        message: "inputs[0].age: expected float64, got 'old'",
        hint: '',
        path: 'inputs[0].age'
      }
    });
    await press(node, 'Predict');
    expect(serving.done).toEqual([`[{"age":"old","${evil}":"x"}]`]);
    expect(input?.getAttribute('aria-invalid')).toBe('true');
    const words = input?.getAttribute('aria-describedby') ?? '';
    expect(node.ownerDocument.getElementById(words)?.textContent).toBe(
      "expected float64, got 'old'"
    );
    serving.answer = makeAnswer({
      warnings: ['inputs[0].age: 9 is outside', 'and 3 more']
    });
    type(input, '9');
    await press(node, 'Predict');
    expect(input?.getAttribute('aria-invalid')).toBe('false');
    expect(node.ownerDocument.getElementById(words)?.textContent).toBe(
      '9 is outside'
    );
    expect(node.querySelector('li')?.textContent).toBe('and 3 more');
  });

  it('takes rows as JSON, and tells what is none', async () => {
    serving.served = [makeServed()];
    serving.answer = makeAnswer({
      predictions: [1, [2, null]],
      probabilities: null,
      classes: null
    });
    const { node } = await show();
    await press(node, 'Rows as JSON');
    const box = node.querySelector('textarea');
    expect(JSON.parse(box?.value ?? '')).toEqual([{ age: 4, [evil]: 'x' }]);
    for (const [text, said] of [
      ['[1', 'This is no JSON'],
      ['{}', 'Expected a list of rows']
    ] as const) {
      type(box, text);
      await press(node, 'Predict');
      expect(node.querySelector('[role=alert]')?.textContent).toContain(said);
    }
    expect(serving.done).toEqual([]);
    type(box, '[[1, "x"], [2, "x"]]');
    await press(node, 'Predict');
    expect(node.textContent).toContain('2 predictions');
    expect(
      [...node.querySelectorAll('tbody td')].map(each => each.textContent)
    ).toEqual(['1', '[2,null]']);
  });

  it('says when the process died while it was asked', async () => {
    serving.served = [makeServed()];
    serving.answer = new RequestError('server', 'gave no answer', 'See why.');
    const { node } = await show();
    serving.served = [
      makeServed({
        status: 'ended',
        url: null,
        problem: { message: 'killed', hint: '' }
      })
    ];
    await press(node, 'Predict');
    const said = [...node.querySelectorAll('[role=alert]')].map(
      each => each.textContent
    );
    expect(said.join()).toContain('killed');
    expect(said.join()).toContain('No prediction. gave no answer See why.');
    expect(find(node, 'Serve and predict').disabled).toBe(false);
  });

  it('asks a wide model by JSON', async () => {
    const inputs = Array.from({ length: 61 }, (_, place) => field(`x${place}`));
    const { node } = await show({
      signature: { inputs, outputs: [], named: false },
      input_count: 61
    });
    expect(node.querySelector('input')).toBeNull();
    const text = node.querySelector('textarea')?.value ?? '';
    expect(text.match(/4/g)).toHaveLength(61);
  });
});

describe('serveUntilReady', () => {
  it('fails where the version ended before it answered', async () => {
    serving.becomes = makeServed({
      status: 'ended',
      problem: { message: 'no such object', hint: 'Restore it.' }
    });
    const waited = serveUntilReady(serving, 'iris', 2).catch(
      (error: unknown) => error as RequestError
    );
    await vi.advanceTimersByTimeAsync(2000);
    expect(await waited).toMatchObject({
      message: 'no such object',
      hint: 'Restore it.'
    });
  });
});
