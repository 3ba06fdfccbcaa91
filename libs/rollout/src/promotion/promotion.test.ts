import { describe, expect, it } from 'vitest';
import { type ChangeFacts, decideChange } from './decide-change.ts';
import { loopOf, parsePromotion } from './promotion-manifest.ts';
import type { Environment, EnvironmentStanding, PromotionChange } from './promotion.ts';

const MINUTE = 60_000;
const NOW = Date.parse('2027-01-15T08:00:00Z');

const promotion = (environments: object[], spec: object = {}) =>
  parsePromotion({
    apiVersion: 'muster.dev/v1alpha1',
    kind: 'Promotion',
    metadata: { name: 'web' },
    spec: { repository: 'https://git.example.com/fleet.git', environments, ...spec },
  });
const dev = { name: 'dev', application: 'web-dev', path: 'envs/dev' };
const target = (more: object = {}): Environment =>
  promotion([dev, { name: 'prod', application: 'web-prod', path: 'envs/prod', ...more }]).environments[1]!;
const passed: EnvironmentStanding = {
  kind: 'passed',
  release: 'r2',
  number: 2,
  label: 'release 2',
  commit: 'c2',
  since: NOW - MINUTE,
};
const change = (more: Partial<PromotionChange> = {}): PromotionChange => ({
  id: 'x',
  state: 'waiting',
  since: NOW,
  createdAt: NOW - MINUTE,
  release: 'r2',
  number: 2,
  commit: 'c2',
  removals: null,
  approvals: [],
  retryAt: null,
  ...more,
});
const decide = (more: Partial<ChangeFacts> = {}) =>
  decideChange({
    environment: target(),
    before: 'dev',
    standing: passed,
    current: undefined,
    last: undefined,
    paused: null,
    now: NOW,
    ...more,
  });
const paused = { actor: 'ada', reason: 'lunch' };
const approval = { actor: 'ada', reason: '', at: '' };

describe('what is done about an environment', () => {
  it('nothing before the one before it has passed, nor again for a release that had its turn', () => {
    expect(decide({ standing: { kind: 'not-yet', why: 'release 2 is on its way' } })).toEqual({
      kind: 'nothing',
      why: 'dev: release 2 is on its way',
    });
    for (const state of ['done', 'closed', 'rejected', 'expired'] as const)
      expect(decide({ last: { release: 'r2', state } }).kind).toBe('nothing');
    expect(decide({ last: { release: 'r1', state: 'rejected' } })).toEqual({ kind: 'begin' });
    expect(decide({ last: { release: 'r2', state: 'superseded' } })).toEqual({ kind: 'begin' });
  });

  it('a newer release begins another change, whatever the one before waits for', () => {
    for (const state of ['waiting', 'open', 'conflict', 'failed'] as const)
      expect(decide({ current: change({ state, release: 'r1' }) })).toEqual({ kind: 'begin' });
  });

  it('a change waits for its approvals, a pause, health, the soak and windows, in this order', () => {
    const environment = target({
      approval: { count: 2, groups: ['sre'] },
      soak: '10m',
      windows: [{ kind: 'deny', from: '2027-01-15T07:00:00Z', until: '2027-01-15T08:30:00Z' }],
    });
    const why = (more: Partial<ChangeFacts>) => {
      const step = decide({ environment, ...more });
      return step.kind === 'wait' ? step.why : step.kind;
    };
    const approved = change({ approvals: [approval, { ...approval, actor: 'bob' }] });
    expect(why({ current: change({ approvals: [approval] }) })).toMatch(
      /^1 approval of sre until 2027-01-22/,
    );
    expect(why({ current: approved, paused })).toBe('ada to resume it (paused: lunch)');
    const away: EnvironmentStanding = { kind: 'not-yet', why: '0 of 1 targets are healthy now' };
    expect(why({ current: approved, standing: away })).toBe('dev: 0 of 1 targets are healthy now');
    expect(why({ current: approved })).toBe('the soak of dev until 2027-01-15T08:09:00Z');
    const soaked = { ...passed, since: NOW - 10 * MINUTE };
    expect(why({ current: approved, standing: soaked })).toMatch(/^a window, frozen by/);
    expect(why({ current: approved, standing: soaked, now: NOW + 31 * MINUTE })).toBe('apply');
  });

  it('production asks one person by default, and once more where objects would go; both can be waived', () => {
    const step = (more: object, removals: PromotionChange['removals'] = null) =>
      decide({ environment: target({ production: true, ...more }), current: change({ removals }) }).kind;
    const gone = { count: 1, names: ['/ConfigMap/shop/old'] };
    expect(step({})).toBe('wait');
    expect(step({ approval: 'waived' })).toBe('apply');
    expect(step({ approval: 'waived' }, gone)).toBe('wait');
    expect(step({ approval: 'waived', pruneApproval: 'waived' }, gone)).toBe('apply');
    expect(step({ production: false }, gone)).toBe('apply');
  });

  it('what nobody decides on in time ends', () => {
    const environment = target({ approval: { expires: '30s' } });
    expect(decide({ environment, current: change() })).toMatchObject({ kind: 'expire' });
  });

  it('what failed is tried again when its time has come, and an open pull request is watched in a pause too', () => {
    const failed = change({ state: 'failed', retryAt: NOW + MINUTE });
    expect(decide({ current: failed })).toMatchObject({ kind: 'wait', until: NOW + MINUTE });
    expect(decide({ current: failed, now: NOW + MINUTE })).toEqual({ kind: 'apply' });
    expect(decide({ current: change({ state: 'open' }), paused })).toEqual({ kind: 'watch' });
    expect(decide({ current: change({ state: 'open', release: 'r1' }), paused })).toEqual({ kind: 'watch' });
    expect(decide({ paused })).toMatchObject({ kind: 'wait' });
  });
});

describe('a Promotion document', () => {
  it('copies between paths and merges between branches unless it says otherwise', () => {
    expect(target().change).toEqual({ mode: 'pull-request', kind: 'copy', exclude: [], keep: [] });
    const branches = promotion([
      { name: 'dev', applicationSet: 'web-dev', branch: 'dev' },
      { name: 'prod', applicationSet: 'apps/web', branch: 'prod', change: { mode: 'commit' } },
    ]);
    expect(branches.environments[1]).toMatchObject({
      owner: { kind: 'ApplicationSet', namespace: 'apps', name: 'web' },
      change: { mode: 'commit', kind: 'merge', exact: false },
    });
    expect(branches.environments[0]!.change).toBeNull();
    const set = target({ change: { set: [{ file: 'values.yaml', field: 'image.tag' }] } });
    expect(set.change).toMatchObject({
      fields: [{ file: 'values.yaml', field: 'image.tag', fromFile: 'values.yaml', fromField: 'image.tag' }],
    });
  });

  it.each([
    [[dev], 'at least two'],
    [[dev, { ...dev, name: 'b' }], 'b has the branch and path of dev'],
    [[dev, { ...dev, path: 'x' }], 'dev is there twice'],
    [[dev, { name: 'b', application: 'x' }], 'copying needs the path'],
    [[dev, { name: 'b', application: 'x', path: '../x' }], 'is no path inside the repository'],
    [[dev, { name: 'b', application: 'x', path: 'a/.git/hooks' }], 'is no path inside the repository'],
    [[dev, { name: 'b', application: 'x', path: 'x', branch: '--force' }], 'is no name of a branch'],
    [[dev, { name: 'b', path: 'x' }], 'give one of applicationSet and application'],
    [
      [dev, { name: 'b', application: 'x', path: 'x', change: { copy: {}, merge: {} } }],
      'give one of copy, merge and set',
    ],
    [[dev, { name: 'b', application: 'x', path: 'x', change: { merge: {} } }], 'the same branch'],
  ])('%j is refused: %s', (environments, message) => {
    expect(() => promotion(environments)).toThrow(message);
  });

  it('that closes a loop with others is found', () => {
    const place = (path: string) => ({ repository: 'r', branch: 'main', path });
    const [a, b, c] = [place('a'), place('b'), place('c')];
    expect(loopOf([{ places: [a, b, c] }])).toBeUndefined();
    expect(loopOf([{ places: [a, b] }, { places: [a, c] }, { places: [b, c] }])).toBeUndefined();
    expect(loopOf([{ places: [a, b] }, { places: [b, c] }, { places: [c, a] }])).toBe(
      'main:a of r → main:b of r → main:c of r → main:a of r',
    );
  });
});
