import { describe, expect, it } from 'vitest';
import { chainOf, headlineOf } from './chain.ts';
import { targetsView } from './set-view.ts';
import type { StatusFacts, WhyFacts } from './why-facts.ts';

const NOW = Date.parse('2026-11-01T12:00:00Z');
const AT = new Date('2026-11-01T11:00:00Z');
const AT_TEXT = AT.toISOString();

const status: StatusFacts = {
  current: true,
  applied: true,
  message: '',
  observedAt: AT,
  syncSince: AT,
  healthSince: AT,
  conditions: [],
  operation: null,
};
const well: WhyFacts = {
  namespace: 'argocd',
  name: 'web-eu',
  project: 'shop',
  set: 'argocd/web',
  setConditions: [],
  sources: [],
  conditions: [],
  rendered: true,
  work: [],
  problem: null,
  rollout: null,
  hold: null,
  pin: null,
  waits: null,
  leaving: null,
  destination: 'eu',
  onHub: false,
  cluster: { name: 'eu', state: 'active', since: AT, lastSeen: AT, silentSince: null },
  recovery: null,
  assignment: { action: 'apply', signedAt: AT, ackedAt: AT, refused: null, current: true },
  status,
  sync: 'Synced',
  health: 'Healthy',
  policy: { automated: true, selfHeal: true, prune: true },
  unhealthy: [],
  release: { label: 'release 12 (commit abcdef0 on main)', commit: 'abcdef0123' },
};
const chain = (facts: Partial<WhyFacts>) => chainOf({ ...well, ...facts }, NOW);
const said = (of: Partial<StatusFacts>): Partial<WhyFacts> => ({ status: { ...status, ...of } });
const blocker = { who: [], count: 1, since: NOW, until: null, label: 'release 13' };
const rollout = (...blockers: Record<string, unknown>[]): Partial<WhyFacts> => ({
  rollout: {
    owner: 'argocd/web',
    blockers: blockers.map((one) => ({ ...blocker, text: 'it', ...one })) as never,
  },
});
const condition = (type: string, message = 'said') => ({ type, message, since: AT_TEXT });

describe('what blocks a target', () => {
  it('is nothing where it is synced and healthy; it says at what and since when', () => {
    expect(chain({})).toEqual([]);
    expect(headlineOf(well, [])).toBe(
      'nothing: synced and healthy at release 12 (commit abcdef0 on main), since 2026-11-01T11:00:00Z',
    );
  });

  const failed = {
    type: 'ErrorOccurred',
    status: 'True',
    reason: 'r',
    message: 'no',
    lastTransitionTime: AT_TEXT,
  };
  it.each<[string, Partial<WhyFacts>, Record<string, unknown>]>([
    [
      'its set cannot be expanded',
      { setConditions: [failed as never] },
      { kind: 'expansion', since: AT_TEXT, command: 'muster appset get argocd/web' },
    ],
    [
      'its repository cannot be read',
      { sources: [{ url: 'git', revision: 'main', error: 'refused', since: AT }] },
      { kind: 'source', since: AT_TEXT },
    ],
    [
      'its source cannot be read, as rendering found',
      { conditions: [condition('SourceError')] },
      { kind: 'source' },
    ],
    ['it cannot be rendered', { conditions: [condition('RenderError')] }, { kind: 'render', since: AT_TEXT }],
    ['its project refuses its source', { conditions: [condition('ProjectDenied')] }, { kind: 'render' }],
    [
      'its rendering fails again and again',
      { work: [{ queue: 'render', since: AT, attempts: 3 }] },
      { kind: 'work', since: AT_TEXT },
    ],
    [
      'its policy is missing',
      { problem: { message: 'no policy', since: AT } },
      { kind: 'policy', since: AT_TEXT },
    ],
    [
      'it is pinned',
      { pin: { by: 'ada', reason: 'incident', since: AT, until: null, label: 'release 9' } },
      {
        kind: 'pinned',
        text: 'ada pinned it at release 9: incident',
        command: 'muster app unpin argocd/web-eu --reason "…"',
        who: 'an operator of project shop',
      },
    ],
    [
      'its rollout is paused',
      rollout({ what: 'paused' }),
      { kind: 'paused', command: 'muster rollout resume argocd/web --reason "…"' },
    ],
    ['its rollout waits for its turn', rollout({ what: 'turn' }), { kind: 'turn', text: 'release 13: it' }],
    ['its stage has not come', rollout({ what: 'stage' }), { kind: 'stage' }],
    [
      'an approval is missing',
      rollout({ what: 'approval', who: ['owners', 'leads'], until: NOW }),
      {
        kind: 'approval',
        until: '2026-11-01T12:00:00.000Z',
        who: 'an approver of project shop in owners or leads',
      },
    ],
    ['a window is closed', rollout({ what: 'window' }), { kind: 'window' }],
    ['a gate measures', rollout({ what: 'gate' }), { kind: 'gate' }],
    ['a dependency is not healthy', rollout({ what: 'dependency' }), { kind: 'dependency' }],
    [
      'it depends on what is not healthy',
      {
        waits: { on: [{ on: 'Application argocd/db on cluster eu', reason: 'Progressing' }], since: AT },
        assignment: null,
        status: null,
      },
      {
        kind: 'dependency',
        text: 'it waits for Application argocd/db on cluster eu: Progressing',
        since: AT_TEXT,
      },
    ],
    ['all slots are taken', rollout({ what: 'slot' }), { kind: 'slot' }],
    ['it is started by hand', rollout({ what: 'hand' }), { kind: 'hand' }],
    [
      'its rollout has stopped',
      rollout({ what: 'stopped' }),
      { kind: 'budget', command: 'muster rollout retry|undo|abort argocd/web --reason "…"' },
    ],
    ['its rollout goes back', rollout({ what: 'rollback' }), { kind: 'rollback' }],
    ['it failed', rollout({ what: 'failed' }), { kind: 'failed' }],
    ['it was passed over', rollout({ what: 'skipped' }), { kind: 'skipped' }],
    ['it soaks', rollout({ what: 'soak', who: ['argocd/web-eu@eu'] }), { kind: 'soak' }],
    [
      'its newest release is held back',
      {
        hold: {
          reason: 'r',
          since: AT,
          label: 'release 11',
          empty: false,
          ended: { phase: 'rolled-back', label: 'release 12', failure: '1 failed' },
        },
      },
      {
        kind: 'held',
        text: 'release 12 is held back, its rollout is rolled-back (1 failed); it holds release 11',
      },
    ],
    [
      'it joined while a rollout runs',
      { hold: { reason: 'it joined', since: AT, label: null, empty: true, ended: null } },
      { kind: 'held', text: 'it joined; it holds nothing' },
    ],
    [
      'its removal waits for an approval',
      { leaving: { at: AT, action: 'orphan', held: 'too many', signedAt: null } },
      { kind: 'deletion', command: 'muster appset approve-deletions argocd/web --reason "…"' },
    ],
    [
      'it is in its grace time',
      { leaving: { at: new Date(NOW), action: 'uninstall', held: null, signedAt: null } },
      { kind: 'deletion', until: '2026-11-01T12:00:00.000Z', command: 'muster app restore argocd/web-eu' },
    ],
    [
      'its removal waits for a confirmation',
      {
        leaving: { at: AT, action: 'uninstall', held: null, signedAt: AT },
        ...said({ conditions: [condition('DeleteConfirmation')] }),
      },
      { kind: 'deletion', command: 'muster app confirm argocd/web-eu --reason "…"' },
    ],
    [
      'it is being removed',
      { leaving: { at: AT, action: 'uninstall', held: null, signedAt: AT } },
      { kind: 'deletion', since: AT_TEXT },
    ],
    [
      'the hub is in recovery',
      { recovery: { since: AT, reason: 'a restored backup' } },
      { kind: 'recovery', command: 'muster recover confirm', who: 'an admin' },
    ],
    [
      'its cluster is not approved',
      { cluster: { ...well.cluster!, state: 'pending' } },
      { kind: 'cluster', command: 'muster cluster approve eu' },
    ],
    [
      'its cluster is being removed',
      { cluster: { ...well.cluster!, state: 'removing' } },
      { kind: 'cluster' },
    ],
    [
      'no cluster is its destination',
      { cluster: null, assignment: null, status: null },
      { kind: 'destination' },
    ],
    [
      'its agent never connected',
      { cluster: { ...well.cluster!, lastSeen: null }, status: null },
      { kind: 'agent' },
    ],
    [
      'its agent is silent',
      { cluster: { ...well.cluster!, silentSince: AT } },
      { kind: 'agent', since: AT_TEXT, command: 'muster cluster get eu' },
    ],
    ['nothing is signed yet', { assignment: null, status: null }, { kind: 'delivery' }],
    [
      'its agent refused',
      { assignment: { ...well.assignment!, refused: 'bad signature' } },
      { kind: 'refused' },
    ],
    [
      'its newest assignment is not signed',
      { assignment: { ...well.assignment!, current: false } },
      { kind: 'delivery' },
    ],
    [
      'its agent has not acknowledged',
      { assignment: { ...well.assignment!, ackedAt: null } },
      { kind: 'delivery', since: AT_TEXT },
    ],
    ['its agent has not reported', said({ current: false }), { kind: 'delivery' }],
    ['its agent only observes', said({ conditions: [condition('ObserveOnly')] }), { kind: 'observe-only' }],
    [
      'a sync window is closed',
      said({ conditions: [condition('SyncWindow')] }),
      { kind: 'sync-window', command: 'muster app windows argocd/web-eu' },
    ],
    [
      'a prune waits',
      said({ conditions: [condition('PruneConfirmation')] }),
      { kind: 'prune', command: 'muster app confirm argocd/web-eu --reason "…"' },
    ],
    [
      'its project refuses an object',
      said({ conditions: [condition('ProjectDenied')] }),
      { kind: 'refused' },
    ],
    [
      'a sync waits in a wave',
      said({
        operation: {
          phase: 'Running',
          message: '',
          step: 'Sync',
          wave: 2,
          startedAt: AT_TEXT,
          waitsFor: [
            {
              group: 'apps',
              kind: 'Deployment',
              namespace: 'shop',
              name: 'web',
              health: 'Progressing',
              message: '1 of 3',
            },
          ],
          waitsForTotal: 2,
        },
      }),
      {
        kind: 'wave',
        text: 'a sync is running: Sync, wave 2 waits for Deployment.apps shop/web (Progressing: 1 of 3) and 1 more',
        since: AT_TEXT,
      },
    ],
    ['a sync has begun', said({ operation: { phase: 'Running', message: '' } }), { kind: 'operation' }],
    [
      'the last sync failed',
      {
        sync: 'OutOfSync',
        ...said({
          operation: {
            phase: 'Failed',
            message: 'denied',
            finishedAt: AT_TEXT,
            nextTry: { attempt: 2, limit: 5, at: AT_TEXT },
          },
        }),
      },
      { kind: 'sync-failed', text: `the last sync failed: denied; tried again at ${AT_TEXT} (2 of 5)` },
    ],
    [
      'nobody has synced it',
      { sync: 'OutOfSync', policy: { automated: false, selfHeal: false, prune: false } },
      { kind: 'manual', command: 'muster app sync argocd/web-eu' },
    ],
    [
      'it drifted, and is not healed',
      { sync: 'OutOfSync', policy: { automated: true, selfHeal: false, prune: false } },
      { kind: 'drift', command: 'muster app sync argocd/web-eu' },
    ],
    ['it drifted, and is being healed', { sync: 'OutOfSync' }, { kind: 'drift' }],
    [
      'its objects are degraded',
      {
        health: 'Degraded',
        unhealthy: [{ name: 'Deployment/web', health: 'Degraded', message: 'no quota' }],
      },
      { kind: 'health', text: 'it is degraded: Deployment/web is Degraded: no quota', since: AT_TEXT },
    ],
    ['nothing that is known says why', { sync: 'Unknown', status: null, onHub: true }, { kind: 'drift' }],
  ])('says that %s', (_, facts, expected) => {
    const [first, ...more] = chain(facts);
    expect(first).toMatchObject(expected);
    expect(more).toEqual([]);
  });

  it('has what has to happen first before what comes after it', () => {
    const facts = {
      ...rollout({ what: 'approval' }, { what: 'stage' }, { what: 'offline' }),
      conditions: [condition('RenderError')],
      cluster: { ...well.cluster!, silentSince: AT },
      health: 'Degraded',
    };
    // What a silent agent said last is old: it is not repeated.
    expect(chain(facts).map(({ kind }) => kind)).toEqual(['render', 'approval', 'stage', 'agent']);
    const flying = { ...rollout({ what: 'health', who: ['argocd/web-eu@eu'] }), health: 'Degraded' };
    expect(chain(flying).map(({ kind }) => kind)).toEqual(['health', 'health']);
    // What leaves waits for no release.
    const leaving = { at: AT, action: 'orphan', held: 'too many', signedAt: null };
    expect(chain({ ...facts, leaving }).map(({ kind }) => kind)).toEqual(['deletion', 'agent']);
  });
});

describe('the targets of a set', () => {
  it('are grouped by what blocks them first, the largest group first, under the same words for all', () => {
    const silent = (name: string, at: string) => ({
      id: `argocd/web-${name}@${name}`,
      links: chain({ name: `web-${name}`, cluster: { ...well.cluster!, name, silentSince: new Date(at) } }),
    });
    const view = targetsView(
      [
        { id: 'argocd/web-us@us', links: [] },
        { id: 'argocd/web-x@x', links: chain({ conditions: [condition('RenderError', 'web-x is broken')] }) },
        silent('a', '2026-11-01T10:00:00Z'),
        silent('b', '2026-11-01T09:00:00Z'),
      ],
      false,
    );
    expect(view).toMatchObject({ total: 4, blocked: 3, more: false });
    expect(view.groups).toMatchObject([
      {
        kind: 'agent',
        text: 'the agent of … is silent',
        count: 2,
        since: '2026-11-01T09:00:00.000Z',
        examples: ['argocd/web-a@a', 'argocd/web-b@b'],
      },
      { kind: 'render', text: 'it cannot be rendered: … is broken', count: 1 },
    ]);
    expect(view.groups[0]).not.toHaveProperty('command');
  });

  it('that wait for what is called like their own cluster, since whenever, have one reason; what is beyond 50 is counted', () => {
    const waiting = Array.from({ length: 100 }, (_, i) => ({
      id: `argocd/web-c${i}@c${i}`,
      links: [
        {
          kind: 'dependency' as const,
          text: `it waits for Application argocd/db-c${i} on cluster c${i}: Progressing since 2026-11-01T10:00:${10 + (i % 50)}Z`,
        },
      ],
    }));
    const view = targetsView(waiting, false);
    expect(view.groups).toMatchObject([
      { text: 'it waits for Application argocd/db-… on cluster …: Progressing', count: 100 },
    ]);
    expect(view).not.toHaveProperty('omitted');
    const each = Array.from({ length: 70 }, (_, i) => ({
      id: `argocd/web-c${i}@c${i}`,
      links: [{ kind: 'render' as const, text: `line ${i} is wrong` }],
    }));
    expect(targetsView(each, false)).toMatchObject({ blocked: 70, omitted: { groups: 20, targets: 20 } });
    expect(targetsView(each, false).groups).toHaveLength(50);
  });
});
