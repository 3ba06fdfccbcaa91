import { describe, expect, it } from 'vitest';
import { readOptions } from './options.ts';

describe('the demo’s command line', () => {
  it('takes several contexts behind one option', () => {
    expect(readOptions(['--context', 'kind-a', 'kind-b', '--reset'], '/m')).toEqual({
      dir: '/m/.muster/demo',
      reset: true,
      contexts: ['kind-a', 'kind-b'],
      help: false,
    });
  });

  it('names what it does not know', () => {
    expect(() => readOptions(['--rest'], '/m')).toThrow(/--rest/);
  });
});
