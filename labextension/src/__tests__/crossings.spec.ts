import { describe, expect, it } from 'vitest';

import { describeSize, sizeLeaving } from '../components/crossings';
import { makePipeline, makeStep, trans } from './fixtures';

const evil = '<img src=x onerror=alert(1)>';
const load = makeStep('load', {
  leaves: [
    { names: ['rows', 'view'], size_bytes: 2000 },
    { names: [evil], size_bytes: 3_000_000 }
  ]
});
const pipeline = makePipeline([load, makeStep('train')]);
const say = (source: string, name: string) =>
  describeSize(pipeline, source, name, 'en', trans);

describe('what crosses', () => {
  it('has one size with what it shares something with', () => {
    expect(say('load', 'rows')).toBe('2 kB together with view');
    expect(say('load', evil)).toBe('3 MB');
    expect(sizeLeaving(load)).toBe(3_002_000);
  });

  it('has none before a run, and where the server is an older one', () => {
    expect(say('load', 'lost')).toBe('');
    expect(say('train', 'rows')).toBe('');
    expect(sizeLeaving(makeStep('train'))).toBeNull();
    expect(sizeLeaving(makeStep('train', { leaves: [] }))).toBeNull();
  });
});
