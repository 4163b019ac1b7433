import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';

import type { IRunListProps } from '../components/runlist';
import { RunList } from '../components/runlist';
import {
  ForeignVersion,
  Loading,
  LOAD_LINE,
  NoNotebook,
  NoRuns,
  ProblemBox
} from '../components/states';
import type { IProblem, IRun, ProblemKind, RunStatus } from '../tokens';
import {
  act,
  makeActions,
  makePage,
  makeRun,
  mount,
  NOW,
  trans
} from './fixtures';

function mountList(
  runs: readonly IRun[],
  changes: Partial<IRunListProps> = {}
) {
  const props: IRunListProps = {
    page: makePage(runs),
    groupBy: null,
    columns: null,
    isByTime: true,
    selected: new Map(),
    actions: makeActions(),
    onChoose: () => {},
    now: Date.parse(NOW),
    locale: 'en',
    trans,
    onTurnTo: () => {},
    ...changes
  };
  return { ...mount(<RunList {...props} />), props };
}

function findButtons(node: HTMLElement): HTMLButtonElement[] {
  return [...node.querySelectorAll('button')];
}

describe('RunList', () => {
  it('shows name, status, duration, age and metrics', () => {
    const { node } = mountList([makeRun()]);
    const text = node.textContent;
    for (const part of ['baseline', 'Finished · 12.5\u00a0s', '2 min. ago']) {
      expect(text).toContain(part);
    }
    expect(text).toContain('accuracy 0.9357');
    expect(text).toContain('loss 1.23E-4');
  });

  it.each<[RunStatus, string]>([
    ['running', 'Running'],
    ['finished', 'Finished'],
    ['failed', 'Failed'],
    ['interrupted', 'Interrupted']
  ])('tells %s by word and shape, not by colour alone', (status, word) => {
    const { node } = mountList([makeRun({ status })]);
    expect(node.querySelector('.jp-MLOpsRun-status')?.textContent).toBe(word);
    const icon = node.querySelector('.jp-MLOpsRun-icon');
    expect(icon?.querySelector('svg')).not.toBeNull();
    expect(icon?.getAttribute('aria-hidden')).toBe('true');
  });

  it('counts the time of a running run, and no time of one without an end', () => {
    const open = { duration_s: null, ended_at: null };
    const { node } = mountList([
      makeRun({ run_id: '1', status: 'running', ...open }),
      makeRun({ run_id: '2', status: 'interrupted', ...open })
    ]);
    const shown = node.querySelectorAll('.jp-MLOpsRun-duration');
    expect([...shown].map(span => span.textContent)).toEqual([
      '2\u00a0min 0\u00a0s'
    ]);
  });

  it('gives the time of an interrupted run as the least it was', () => {
    const { node } = mountList([makeRun({ status: 'interrupted' })]);
    expect(node.textContent).toContain('Interrupted · ≥ 12.5\u00a0s');
  });

  it('says why a run failed', () => {
    const tags = { 'mlops.error': 'ValueError: <b>no</b>' };
    const { node } = mountList([makeRun({ status: 'failed', tags })]);
    act(() => findButtons(node)[0]?.click());
    expect(node.querySelector('.jp-MLOpsRun-error')?.textContent).toBe(
      'ValueError: <b>no</b>'
    );
  });

  it('folds parameters that nobody set, and says metrics once', () => {
    const params = { C: 0.5, a: 1, b: 2, c: 3, d: 4 };
    const tags = { 'params.changed': 'C' };
    const { node } = mountList([makeRun({ params, tags })]);
    expect(String(node.textContent).split('accuracy')).toHaveLength(2);
    act(() => findButtons(node)[0]?.click());
    expect(String(node.textContent).split('accuracy')).toHaveLength(2);
    const folded = node.querySelector('details');
    expect(folded?.open).toBe(false);
    expect(folded?.querySelector('summary')?.textContent).toBe(
      '4 more parameters'
    );
    expect(folded?.textContent).not.toContain('C0.5');
    expect(node.textContent).toContain('C0.5');
  });

  it('folds what the machine did away from the results', () => {
    const metrics = { loss: 1 / 3, 'system/cpu': 97 };
    const { node } = mountList([makeRun({ metrics })]);
    act(() => findButtons(node)[0]?.click());
    const folded = node.querySelector('details');
    expect(folded?.textContent).toBe('1 about the machinecpu97');
    expect(node.textContent).toContain('loss0.33333333');
  });

  it('folds nothing where it would save no room', () => {
    const params = { C: 0.5, a: 1 };
    const tags = { 'params.changed': 'C' };
    const { node } = mountList([makeRun({ params, tags })]);
    act(() => findButtons(node)[0]?.click());
    expect(node.querySelector('details')).toBeNull();
    expect(node.textContent).toContain('a1');
  });

  it('shows the same metrics in all rows, at most three', () => {
    const common = { acc: 0.5, f1: 0.25 };
    const { node } = mountList([
      makeRun({ run_id: '1', metrics: { zz: 1, yy: 2, ...common } }),
      makeRun({ run_id: '2', metrics: common }),
      makeRun({ run_id: '3', metrics: { rmse: 3 } })
    ]);
    const rows = [...node.querySelectorAll('li')].map(row =>
      [...row.querySelectorAll('.jp-MLOpsRun-metricKey')].map(
        key => key.textContent
      )
    );
    expect(rows).toEqual([['acc', 'f1', 'zz'], ['acc', 'f1'], ['rmse']]);
  });

  it('opens one run at a time to all that it has logged', () => {
    const { node } = mountList([
      makeRun({ run_id: '1', params: { solver: 'lbfgs', layers: [8, 4] } }),
      makeRun({ run_id: '2', metrics: {}, params: {} })
    ]);
    const [first, second] = findButtons(node);
    expect(first?.getAttribute('aria-expanded')).toBe('false');
    act(() => first?.click());
    expect(first?.getAttribute('aria-expanded')).toBe('true');
    const id = first?.getAttribute('aria-controls') ?? '';
    const details = document.getElementById(id)?.textContent;
    expect(details).toContain('solverlbfgs');
    expect(details).toContain('layers[8,4]');
    expect(details).toContain('Experimentdefault');
    act(() => second?.click());
    expect(node.querySelectorAll('.jp-MLOpsRun-details')).toHaveLength(1);
    expect(node.textContent).not.toContain('Parameters');
    act(() => second?.click());
    expect(node.querySelectorAll('.jp-MLOpsRun-details')).toHaveLength(0);
  });

  it('is one Tab stop with arrows inside', () => {
    const { node } = mountList(
      ['1', '2', '3'].map(run_id => makeRun({ run_id }))
    );
    const buttons = findButtons(node);
    const press = (key: string) =>
      act(() => {
        const event = new KeyboardEvent('keydown', { key, bubbles: true });
        document.activeElement?.dispatchEvent(event);
      });
    const place = () => buttons.indexOf(document.activeElement as never);
    act(() => buttons[0]?.focus());
    const seen = ['ArrowDown', 'End', 'ArrowDown', 'ArrowUp', 'Home', 'x'].map(
      key => {
        press(key);
        return place();
      }
    );
    expect(seen).toEqual([1, 2, 2, 1, 0, 0]);
    press('ArrowDown');
    expect(buttons.map(button => button.tabIndex)).toEqual([-1, 0, -1]);
  });

  it('keeps a Tab stop when the focused run has left the page', () => {
    const { node, props, update } = mountList([makeRun({ run_id: '1' })]);
    act(() => findButtons(node)[0]?.focus());
    const page = makePage([makeRun({ run_id: '2' })]);
    update(<RunList {...props} page={page} />);
    expect(findButtons(node).map(button => button.tabIndex)).toEqual([0]);
  });

  it('turns pages', () => {
    const onTurnTo = vi.fn();
    const page = makePage([makeRun()], {
      limit: 25,
      offset: 25,
      has_more: true
    });
    const { node } = mountList([], { page, onTurnTo });
    expect(node.querySelector('nav')?.textContent).toContain('Runs 26 to 26');
    const [newer, older] = [...node.querySelectorAll('nav button')];
    act(() => (newer as HTMLElement).click());
    act(() => (older as HTMLElement).click());
    expect(onTurnTo.mock.calls).toEqual([[0], [50]]);
  });

  it('shows a page that was turned from its beginning', () => {
    const section = React.createRef<HTMLDivElement>();
    const list = (offset: number) => (
      <div className="jp-MLOpsRuns" ref={section}>
        <RunList
          page={makePage([makeRun()], { offset, has_more: true })}
          groupBy={null}
          columns={null}
          isByTime
          selected={new Map()}
          actions={makeActions()}
          onChoose={() => {}}
          now={0}
          locale="en"
          trans={trans}
          onTurnTo={() => {}}
        />
      </div>
    );
    const { update } = mount(list(0));
    Object.assign(section.current ?? {}, { scrollTop: 300 });
    update(list(0));
    expect(section.current?.scrollTop).toBe(300);
    update(list(25));
    expect(section.current?.scrollTop).toBe(0);
  });

  it('shows chosen columns, a dash where a run has nothing of that name', () => {
    const { node } = mountList([makeRun()], {
      columns: ['params.C', 'metrics.loss', 'tags.none']
    });
    expect(node.textContent).toContain('C 0.5');
    expect(node.textContent).toContain('loss 1.23E-4');
    expect(node.textContent).toContain('none –');
    expect(node.textContent).not.toContain('accuracy');
  });

  it('chooses a run by its box, and moves between boxes by arrows', () => {
    const onChoose = vi.fn();
    const run = makeRun({ run_id: '1' });
    const { node } = mountList([run, makeRun({ run_id: '2' })], {
      onChoose,
      selected: new Map([['2', run]])
    });
    const boxes = node.querySelectorAll<HTMLInputElement>(
      '.jp-MLOpsRun-choice'
    );
    expect([...boxes].map(box => box.checked)).toEqual([false, true]);
    act(() => boxes[0]?.click());
    expect(onChoose).toHaveBeenCalledWith(run);
    act(() => boxes[0]?.focus());
    act(() => {
      boxes[0]?.dispatchEvent(
        new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true })
      );
    });
    expect(document.activeElement).toBe(boxes[1]);
  });

  it('offers what can be done with an open run', () => {
    const actions = makeActions();
    const run = makeRun({ tags: { owner: 'Ada' } });
    const { node } = mountList([run], { actions });
    act(() => findButtons(node)[0]?.click());
    expect(node.textContent).toContain('owner Ada');
    const press = (name: string) =>
      act(() =>
        findButtons(node)
          .find(button => button.textContent === name)
          ?.click()
      );
    press('Open');
    expect(actions.onOpen).toHaveBeenCalledWith(run);
    press('Rename');
    const form = node.querySelector('form');
    expect(form?.querySelector('input')?.value).toBe('baseline');
    press('Delete');
    expect(actions.onDelete).toHaveBeenCalledWith(run);
  });

  it('has no pages to turn where one is all', () => {
    const { node } = mountList([makeRun()]);
    expect(node.querySelector('nav')).toBeNull();
  });

  it('shows what users wrote as text, whatever it is', () => {
    const evil = '<img src=x onerror="throw 1">';
    const { node } = mountList([
      makeRun({ name: evil, metrics: { [evil]: 1 }, params: { [evil]: evil } })
    ]);
    act(() => findButtons(node)[0]?.click());
    expect(node.querySelector('img')).toBeNull();
    expect(node.textContent).toContain(evil);
  });
});

describe('states', () => {
  it('says how to begin, and copies the line', () => {
    const onCopy = vi.fn();
    const onShowAll = vi.fn();
    const { node } = mount(
      <NoRuns hasNotebook {...{ trans, onCopy, onShowAll }} />
    );
    expect(node.querySelector('code')?.textContent).toBe(LOAD_LINE);
    const [button, all] = findButtons(node);
    act(() => all?.click());
    expect(onShowAll).toHaveBeenCalledOnce();
    const project = (
      <NoRuns hasNotebook={false} {...{ trans, onCopy, onShowAll }} />
    );
    expect(findButtons(mount(project).node)).toHaveLength(1);
    act(() => button?.click());
    expect(onCopy).toHaveBeenCalledWith('%load_ext mlops_nb');
    expect(button?.textContent).toBe('Copied');
  });

  it.each([
    [true, 'looked in the store /a/.mlops'],
    [false, 'no store at /a/.mlops']
  ])('says where nothing was found, %s', (exists, words) => {
    const searched = { store: '/a/.mlops', exists };
    const { node } = mount(
      <NoRuns
        hasNotebook
        {...{ trans, searched, onCopy: vi.fn(), onShowAll: vi.fn() }}
      />
    );
    expect(node.textContent).toContain(words);
    expect(node.textContent).toContain('MLOPS_NB_STORE');
  });

  it('says what will show once a notebook is open', () => {
    const { node } = mount(<NoNotebook trans={trans} />);
    expect(node.textContent).toContain('Open a notebook');
  });

  it('says that it is loading to those who do not see it', () => {
    const { node } = mount(<Loading trans={trans} />);
    const status = node.querySelector('[role=status]');
    expect(status?.getAttribute('aria-label')).toBe('Loading');
  });

  it.each<[ProblemKind, string]>([
    ['missing', 'jupyter server extension enable mlops_nb'],
    ['network', 'still running'],
    ['timeout', 'too long'],
    ['forbidden', 'log in again'],
    ['garbage', 'makes no sense'],
    ['input', 'as it was asked for'],
    ['gone', 'not any more'],
    ['server', 'The store cannot be used']
  ])('explains %s with a way out', (kind, words) => {
    const onRetry = vi.fn();
    const problem: IProblem = { kind, message: 'the cause', hint: 'the way' };
    const { node } = mount(
      <ProblemBox problem={problem} trans={trans} onRetry={onRetry} />
    );
    const alert = node.querySelector('[role=alert]');
    expect(alert?.textContent).toContain(words);
    expect(alert?.textContent).toContain('the cause');
    if (['input', 'gone', 'server'].includes(kind)) {
      expect(alert?.textContent).toContain('the way');
    }
    act(() => findButtons(node)[0]?.click());
    expect(onRetry).toHaveBeenCalledOnce();
  });

  it('names both versions', () => {
    const { node } = mount(
      <ForeignVersion ours="0.1.0" theirs="0.9.0" trans={trans} />
    );
    expect(node.textContent).toContain('mlops_nb 0.9.0');
    expect(node.textContent).toContain('belongs to 0.1.0');
  });
});
