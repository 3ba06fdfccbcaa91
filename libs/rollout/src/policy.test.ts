import { MusterError } from '@muster/base';
import { describe, expect, it } from 'vitest';
import { choosePolicy } from './policy-choice.ts';
import { parseRolloutPolicy } from './policy-manifest.ts';
import { parseQuantity, shareOf, toleratedOf } from './quantity.ts';
import { selects } from './selector.ts';

const document = (spec: object) => ({
  apiVersion: 'muster.dev/v1alpha1',
  kind: 'RolloutPolicy',
  metadata: { name: 'standard' },
  spec: { stages: [{ name: 'all' }], ...spec },
});
const JOB = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  spec: { template: { spec: { containers: [] } } },
};
const problemsOf = (written: unknown): string => {
  try {
    parseRolloutPolicy(written, 'policy.yaml');
  } catch (thrown) {
    return MusterError.from(thrown).message;
  }
  return '';
};

describe('a quantity', () => {
  it('is a whole number or a percentage', () => {
    expect(parseQuantity(3)).toEqual({ count: 3 });
    expect(parseQuantity('0.5%')).toEqual({ percent: 0.5 });
    for (const wrong of [-1, 1.5, '3', '101%', '-5%', '%', '', null, {}])
      expect(parseQuantity(wrong)).toBeUndefined();
  });

  it('that has to move something is rounded down to at least one', () => {
    expect(shareOf({ percent: 25 }, 10)).toBe(2);
    expect(shareOf({ percent: 5 }, 10)).toBe(1);
    expect(shareOf({ percent: 0 }, 10)).toBe(0);
    expect(shareOf({ percent: 0.1 }, 3000)).toBe(3);
    expect(shareOf({ count: 0 }, 10)).toBe(0);
  });

  it('of failures is rounded down to none', () => {
    expect(toleratedOf({ percent: 10 }, 5)).toBe(0);
    expect(toleratedOf({ percent: 10 }, 29)).toBe(2);
    expect(toleratedOf({ count: 3 }, 1)).toBe(3);
  });
});

describe('a RolloutPolicy', () => {
  it('has a default for everything but its stages', () => {
    expect(parseRolloutPolicy(document({}))).toEqual({
      name: 'standard',
      source: 'RolloutPolicy',
      applicationSets: null,
      stages: [
        {
          name: 'all',
          clusters: { matchLabels: {}, matchExpressions: [] },
          applications: { matchLabels: {}, matchExpressions: [] },
          take: null,
          maxConcurrent: { percent: 100 },
          order: { by: 'name', descending: false },
          rate: { perMinute: null, jitter: 0, perLabel: null },
          soakMs: 0,
          deadlineMs: 600_000,
          failureBudget: { count: 0 },
          failOnDegraded: true,
          offline: { mode: 'wait', afterMs: 60_000 },
          onFailure: 'rollback-all',
          gates: [],
          production: false,
          dependsOn: [],
        },
      ],
      windows: [],
      rollback: { maxConcurrent: { percent: 100 }, deadlineMs: 600_000, windowsHold: false },
      superseding: 'supersede',
      pruneApproval: { kind: 'approval', groups: [], count: 1, expiresMs: 604_800_000 },
    });
  });

  it('says everything that can be said', () => {
    const policy = parseRolloutPolicy(
      document({
        applicationSets: { matchLabels: { tier: 'web' } },
        defaults: {
          soak: '10m',
          deadline: '1h',
          failureBudget: '5%',
          offline: 'catch-up',
          onFailure: 'stop',
        },
        stages: [
          { name: 'canary', take: { amount: 1, per: 'region' }, soak: '30m', order: 'random' },
          {
            name: 'some',
            clusters: { matchExpressions: [{ key: 'env', operator: 'In', values: ['prod'] }] },
            applications: { matchLabels: { team: 'shop' } },
            take: '25%',
            maxConcurrent: 4,
            order: { label: 'size', descending: true },
            rate: { perMinute: 30, jitter: 0.2, perLabel: { label: 'region', max: 2 } },
            offline: { mode: 'skip', after: '5m' },
            onFailure: 'rollback-failed',
            production: true,
            gates: [
              { name: 'go', approval: { groups: ['sre', 'qa'], count: 2, expires: '24h' } },
              { name: 'hours', windows: [{ kind: 'allow', schedule: '0 9 * * MON-FRI', duration: '8h' }] },
              {
                name: 'errors',
                prometheus: {
                  query: 'rate(errors[5m])',
                  condition: '< 0.01',
                  failures: 2,
                  initialDelay: '6m',
                },
              },
              { name: 'smoke', at: 'entry', http: { url: 'https://example.org/ok', statuses: [200, 204] } },
              { name: 'check', job: { manifest: JOB, deadline: '5m' } },
            ],
          },
          { name: 'rest' },
        ],
        windows: [{ kind: 'deny', from: '2026-12-24T00:00:00Z', until: '2027-01-02T00:00:00Z' }],
        rollback: { maxConcurrent: '50%', deadline: '3m', windowsHold: true },
        superseding: 'batch',
        pruneApproval: 'waived',
      }),
    );
    const [canary, some, rest] = policy.stages;
    expect(canary).toMatchObject({
      take: { quantity: { count: 1 }, per: 'region' },
      soakMs: 1_800_000,
      onFailure: 'stop',
    });
    expect(some).toMatchObject({
      take: { quantity: { percent: 25 }, per: null },
      soakMs: 600_000,
      deadlineMs: 3_600_000,
      order: { by: 'label', label: 'size', descending: true },
      rate: { perMinute: 30, jitter: 0.2, perLabel: { label: 'region', max: { count: 2 } } },
      offline: { mode: 'skip', afterMs: 300_000 },
      onFailure: 'rollback-failed',
    });
    expect(some!.gates.map(({ name, at, kind }) => `${name} ${at} ${kind}`)).toEqual([
      'go entry approval',
      'hours entry windows',
      'errors end prometheus',
      'smoke entry http',
      'check end job',
    ]);
    expect(some!.gates[2]).toMatchObject({
      conditions: [{ operator: '<', value: 0.01 }],
      from: 'cluster',
      failures: 2,
      successes: 1,
      initialDelayMs: 360_000,
    });
    expect(rest).toMatchObject({
      failureBudget: { percent: 5 },
      offline: { mode: 'catch-up', afterMs: 60_000 },
    });
    expect(policy).toMatchObject({
      windows: [{ deny: true, fromMs: Date.parse('2026-12-24T00:00:00Z') }],
      rollback: { maxConcurrent: { percent: 50 }, deadlineMs: 180_000, windowsHold: true },
      superseding: 'batch',
      pruneApproval: null,
    });
    expect(JSON.parse(JSON.stringify(policy))).toEqual(policy);
  });

  it.each([
    [{ stages: [] }, 'spec.stages: at least one stage is needed'],
    [{ stages: [{ name: 'a', soakk: '1m' }] }, 'spec.stages[0].soakk: unknown field'],
    [
      { stages: [{ name: 'A b' }] },
      'spec.stages[0].name: is not a DNS label (lower-case letters, digits and -)',
    ],
    [{ defaults: { soak: '10' } }, 'spec.defaults.soak: "10" is no duration such as 30s, 10m or 1h30m'],
    [
      { defaults: { maxConcurrent: '120%' } },
      'spec.defaults.maxConcurrent: "120%" is neither a whole number nor a percentage such as "25%"',
    ],
    [
      { stages: [{ name: 'a', take: 0 }] },
      'spec.stages[0].take: 0 is neither a whole number above 0 nor a percentage such as "25%"',
    ],
    [{ stages: [{ name: 'a', take: 1 }, { name: 'a' }] }, 'spec.stages[1].name: "a" is taken'],
    [
      { stages: [{ name: 'a' }, { name: 'b' }] },
      'spec.stages[1]: nothing is left for it, "a" before it takes everything',
    ],
    [
      { stages: [{ name: 'a', gates: [{ name: 'g' }] }] },
      'spec.stages[0].gates[0]: exactly one of approval, windows, prometheus, http and job is needed',
    ],
    [
      {
        stages: [
          { name: 'a', gates: [{ name: 'g', at: 'entry', prometheus: { query: 'x', condition: '> 1' } }] },
        ],
      },
      'spec.stages[0].gates[0].at: a prometheus gate is judged over the soak, so it is at the end',
    ],
    [
      { stages: [{ name: 'a', gates: [{ name: 'g', prometheus: { query: 'x', condition: 'low' } }] }] },
      'spec.stages[0].gates[0].prometheus.condition: is no comparison with a number such as "< 0.01"',
    ],
    ...(
      [
        [{ prometheus: { query: 'x' } }, '.prometheus: a condition, a min or a max is needed'],
        [
          { prometheus: { query: 'x{c="{{cluster.zone}}"}', max: 1 } },
          '.prometheus.query: "{{cluster.zone}}" is no placeholder that a query may have',
        ],
        [
          { prometheus: { query: 'x', max: 1, from: 'hub', service: 'a/b:1' } },
          '.prometheus.service: is of a cluster; the one of the hub is in its settings',
        ],
        [{ http: { url: 'ftp://example.org' } }, '.http.url: is no URL that starts with http:// or https://'],
        [{ http: { url: 'https://ada:secret@example.org' } }, '.http.url: names a user: use headersFrom'],
        [
          { http: { url: 'https://example.org', statuses: ['2x'] } },
          '.http.statuses[0]: "2x" is no status such as 200, "2xx" or "200-204"',
        ],
        [
          { http: { url: 'https://example.org', interval: '10ms' } },
          '.http.interval: is not between 1s and 24h',
        ],
        [
          { http: { url: 'https://example.org', body: { json: '$..x', equals: 1 } } },
          '.http.body.json: "$..x" is no path such as $.status or $.checks[0].ok',
        ],
        [
          { http: { url: 'https://example.org', body: { matches: '(?=x)' } } },
          '.http.body.matches: is no regular expression of RE2',
        ],
        [
          { http: { url: 'https://example.org', body: { json: '$.x', matches: 'x', equals: 1 } } },
          '.http.body: exactly one of equals and matches is needed',
        ],
        [
          { at: 'entry', http: { url: 'https://example.org', over: 'soak' } },
          '.at: what is judged over the soak is at the end',
        ],
        [
          { prometheus: { query: 'x', max: 1, initialDelay: '10m' } },
          '.prometheus.initialDelay: is longer than the soak of the stage, so that it would be over first',
        ],
        [
          { prometheus: { query: 'x', max: 1, initialDelay: '-5m' } },
          '.prometheus.initialDelay: "-5m" is no duration such as 30s, 10m or 1h30m',
        ],
        [
          { http: { url: 'https://example.org', over: 'once', initialDelay: '1m' } },
          '.http.initialDelay: is of what is measured over the soak',
        ],
        [{ job: { manifest: { ...JOB, kind: 'CronJob' } } }, '.job.manifest.kind: is not Job'],
        [
          { job: { manifest: { ...JOB, metadata: { name: 'x' } } } },
          '.job.manifest.metadata.name: the name is made by the hub, so that it never runs twice',
        ],
        [{ job: { manifest: { ...JOB, spec: {} } } }, '.job.manifest.spec.template.spec: a Job needs one'],
      ] as const
    ).map(
      ([gate, problem]) =>
        [
          { stages: [{ name: 'a', gates: [{ name: 'g', ...gate }] }] },
          `spec.stages[0].gates[0]${problem}`,
        ] as [object, string],
    ),
    [
      { windows: [{ kind: 'deny', schedule: 'daily', duration: '1h' }] },
      'spec.windows[0].schedule: "daily" is no cron schedule of five fields',
    ],
    [
      { stages: [{ name: 'a', clusters: { matchExpressions: [{ key: 'x', operator: 'In' }] } }] },
      'spec.stages[0].clusters.matchExpressions[0].values: in needs at least one value',
    ],
  ])('is refused with the field and what is wrong: %j', (spec, message) => {
    expect(problemsOf(document(spec)).toLowerCase()).toBe(message.toLowerCase());
  });

  it('is refused with where it was found', () => {
    expect(() => parseRolloutPolicy({ kind: 'Deployment' }, 'policy.yaml')).toThrow(
      expect.objectContaining({ code: 'invalid', where: 'policy.yaml', hint: expect.any(String) }),
    );
  });
});

describe('the policy of a set', () => {
  const named = (name: string, labels?: Record<string, string>) =>
    parseRolloutPolicy({
      ...document(labels ? { applicationSets: { matchLabels: labels } } : {}),
      metadata: { name },
    });
  const policies = [named('web', { tier: 'web' }), named('all', {}), named('other')];

  it('is the one that it names, or its own RollingSync, or the one that selects it', () => {
    const set = { annotations: { 'muster.dev/rollout-policy': 'other' }, labels: {} };
    expect(choosePolicy(set, policies)).toMatchObject({ policy: { name: 'other' } });
    const strategy = { type: 'RollingSync', rollingSync: { steps: [{}] } };
    expect(choosePolicy({ ...set, annotations: {}, strategy }, policies)).toMatchObject({
      policy: { source: 'rollingSync' },
    });
    expect(choosePolicy({ annotations: {}, labels: {} }, policies)).toMatchObject({
      policy: { name: 'all' },
    });
    expect(choosePolicy({ annotations: {}, labels: {} }, [policies[2]!])).toEqual({ kind: 'none' });
  });

  it('is a problem where it is missing or not one', () => {
    const missing = choosePolicy(
      { annotations: { 'muster.dev/rollout-policy': 'gone' }, labels: {} },
      policies,
    );
    expect(missing).toEqual({
      kind: 'problem',
      message: 'there is no RolloutPolicy "gone", which muster.dev/rollout-policy names',
    });
    expect(choosePolicy({ annotations: {}, labels: { tier: 'web' } }, policies)).toEqual({
      kind: 'problem',
      message: 'several RolloutPolicies select it (all, web): name one with muster.dev/rollout-policy',
    });
  });
});

it('selectors read labels as Kubernetes does', () => {
  const of = (operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', values: string[] = []) => ({
    matchLabels: {},
    matchExpressions: [{ key: 'env', operator, values }],
  });
  const labels = [{ env: 'prod' }, { env: 'dev' }, {}];
  const chosen = (selector: ReturnType<typeof of>) =>
    labels.map((one) => selects(selector, one as Record<string, string>));
  expect(chosen(of('In', ['prod']))).toEqual([true, false, false]);
  expect(chosen(of('NotIn', ['prod']))).toEqual([false, true, true]);
  expect(chosen(of('Exists'))).toEqual([true, true, false]);
  expect(chosen(of('DoesNotExist'))).toEqual([false, false, true]);
});
