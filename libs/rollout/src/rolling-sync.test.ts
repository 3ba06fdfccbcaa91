import { describe, expect, it } from 'vitest';
import { rollingSyncPolicy } from './rolling-sync.ts';

const of = (steps: unknown) => rollingSyncPolicy({ type: 'RollingSync', rollingSync: { steps } }, 'web');

describe('rollingSync', () => {
  it('is a policy of one stage a step, over labels of Applications, in which nothing fails', () => {
    const policy = of([
      { matchExpressions: [{ key: 'envLabel', operator: 'In', values: ['env-dev'] }] },
      { matchExpressions: [{ key: 'envLabel', operator: 'NotIn', values: ['env-dev'] }], maxUpdate: 0 },
      { maxUpdate: '10%' },
    ])!;
    expect(policy.stages.map(({ name }) => name)).toEqual(['step-1', 'step-2', 'step-3']);
    expect(policy.stages.map(({ maxConcurrent }) => maxConcurrent)).toEqual([
      { percent: 100 },
      { count: 0 },
      { percent: 10 },
    ]);
    for (const stage of policy.stages)
      expect(stage).toMatchObject({
        deadlineMs: null,
        failOnDegraded: false,
        soakMs: 0,
        onFailure: 'stop',
        gates: [],
      });
    expect(policy.stages[0]!.applications.matchExpressions).toHaveLength(1);
  });

  it('is none without the type', () => {
    expect(rollingSyncPolicy(undefined)).toBeUndefined();
    expect(rollingSyncPolicy({ type: 'AllAtOnce', rollingSync: { steps: [{}] } })).toBeUndefined();
    expect(rollingSyncPolicy({ rollingSync: { steps: [{}] } })).toBeUndefined();
  });

  it.each([
    [[], 'RollingSync has no steps'],
    [[{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }], '"Exists" is neither In nor NotIn'],
    [[{ maxUpdate: 'many' }], '"many" is neither a number nor a percentage such as "10%"'],
    [[{ maxUpdate: -1 }], '-1 is neither a number nor a percentage such as "10%"'],
  ])('is refused where the reference could not obey it: %j', (steps, message) => {
    expect(() => of(steps)).toThrow(expect.objectContaining({ code: 'invalid', message }));
  });
});
