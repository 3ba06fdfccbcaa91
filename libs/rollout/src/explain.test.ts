import { describe, expect, it } from 'vitest';
import { admit, nextInTurn, type Standing } from './admission.ts';
import { enqueue } from './begin.ts';
import { explain } from './explain.ts';
import { explainTarget } from './target-blockers.ts';
import { policyOf } from './testing/policies.ts';
import { fleet } from './testing/stories.ts';
import { World, targetInput } from './testing/world.ts';

const MINUTE = 60_000;

const said = (world: World) => explain(world.state, world.now).lines;
const why = (world: World, id: string) => explainTarget(world.state, id, world.now);

describe('what is said of a rollout', () => {
  it('is which stage runs, who is done, who is waited for and why, and what comes next and when', () => {
    const world = new World(policyOf([{ name: 'canary', take: 1, soak: '10m' }, { name: 'rest' }]), fleet(6));
    world.feed();
    const { stage, done, total, waitingFor, next } = explain(world.state, world.now);
    expect([stage?.name, stage?.index, stage?.of, stage?.step, done, total]).toEqual([
      'canary',
      0,
      2,
      'rolling',
      0,
      6,
    ]);
    expect(waitingFor).toEqual([
      {
        what: 'apply',
        who: ['c1'],
        count: 1,
        text: 'web in c1 to apply it',
        since: world.now,
        until: world.now + 10 * MINUTE,
      },
    ]);
    expect(next).toEqual({ what: 'its soak, then stage rest follows', at: world.now + 10 * MINUTE });
    world.obey('c1');
    expect(said(world)).toEqual([
      'B is on its way, stage canary (1 of 2) is soaking: 0 of 6 done',
      'waits for the soak of web in c1 until 2027-01-15T08:10:00Z',
      'next: stage rest follows (next look at 2027-01-15T08:10:00Z)',
    ]);
    world.pass(10 * MINUTE);
    expect(said(world)).toEqual([
      'B is on its way, stage rest (2 of 2) is rolling: 1 of 6 done',
      'waits for web in c2, web in c3, web in c4 and 2 more to apply it',
      'next: the rollout is complete (next look at 2027-01-15T08:20:00Z)',
    ]);
  });

  it('names approvals, windows, pauses and agents', () => {
    const gates = [
      { name: 'go', approval: { groups: ['sre', 'qa'], count: 2, expires: '1h' } },
      {
        name: 'hours',
        windows: [{ kind: 'deny', from: '2027-01-15T08:00:00Z', until: '2027-01-15T09:00:00Z' }],
      },
    ];
    const world = new World(policyOf([{ name: 'all', gates }]), [targetInput('c1', { connected: false })]);
    world.feed({ kind: 'pause', actor: 'ada', reason: 'lunch' });
    world.feed({ kind: 'resume', actor: 'ada', reason: 'done' });
    expect(said(world).slice(1, 3)).toEqual([
      'waits for 2 approvals of sre or qa at "go" until 2027-01-15T09:00:00Z',
      'waits for a window, "hours": frozen by 2027-01-15T08:00:00Z – 2027-01-15T09:00:00Z, until 2027-01-15T09:00:00Z',
    ]);
    world.feed({ kind: 'pause', actor: 'ada', reason: 'lunch' });
    expect(said(world)[0]).toBe('B is on its way, paused, stage all (1 of 1) is at its entry: 0 of 1 done');
    expect(said(world)[1]).toBe('waits for ada to resume it (paused: lunch)');
    world.feed({ kind: 'resume', actor: 'ada', reason: 'done' });
    for (const actor of ['ada', 'bob'])
      world.feed({ kind: 'approve', actor, reason: '', stage: 'all', gate: 'go', groups: ['qa'] });
    world.pass(60 * MINUTE);
    expect(said(world)[1]).toBe('waits for the agent of web in c1');
  });

  it('says that it stopped and waits for a person, or that it goes back', () => {
    const world = new World(policyOf([{ name: 'all', onFailure: 'stop' }]), fleet(2));
    world.feed();
    world.obey('c1', 'Degraded');
    expect(said(world)).toEqual([
      'B is stopped after a failure: 0 of 2 done; B is held back',
      'waits for a newer release, or retry, undo or abort: 1 of stage all failed, none may; web in c1: Degraded',
      'next: nothing by itself (next look at 2027-01-15T08:10:00Z)',
    ]);
    world.feed({ kind: 'undo', actor: 'ada', reason: 'bad' });
    expect(said(world)[1]).toBe('waits for web in c1, web in c2 to be healthy at its earlier release');
    world.obey('c1');
    world.obey('c2');
    expect(said(world)).toEqual([
      'B is taken back: 0 of 2 done; B is held back',
      'next: nothing before a newer commit',
    ]);
  });
});

it('names what a release removes in production, and asks before that', () => {
  const policy = policyOf([
    { name: 'dev', take: 1 },
    { name: 'prod', production: true },
  ]);
  const gone = (...names: string[]) => ({ removes: { count: names.length, names } });
  const world = new World(
    policy,
    fleet(3, (name) =>
      name === 'c2' ? gone('/ConfigMap/shop/a') : gone('/ConfigMap/shop/a', 'apps/Deployment/shop/b'),
    ),
  );
  world.feed();
  expect(explain(world.state, world.now).lines).toContain(
    'in prod it removes 2 objects: ConfigMap shop/a, Deployment shop/b',
  );
  world.obey('c1');
  expect(explain(world.state, world.now).waitingFor).toMatchObject([
    {
      what: 'approval',
      text: expect.stringMatching(
        /^1 approval at "prune" until .*; in prod it removes 2 objects: ConfigMap shop\/a, Deployment shop\/b$/,
      ),
    },
  ]);
  expect(explain(world.state, world.now).stages[1]!.removes).toEqual({
    count: 2,
    names: ['/ConfigMap/shop/a', 'apps/Deployment/shop/b'],
  });
});

describe('why a target is where it is', () => {
  it('is a chain from the stage before it to itself', () => {
    const world = new World(
      policyOf([
        { name: 'canary', take: 1 },
        { name: 'rest', maxConcurrent: 1 },
      ]),
      fleet(4),
    );
    world.feed({ kind: 'blocked', target: 'c3', by: 'dependency', reason: 'db is not healthy' });
    expect(why(world, 'c3')).toEqual([
      'web in c1 to apply it',
      'stage canary goes before its stage rest',
      'dependency: db is not healthy',
    ]);
    world.obey('c1');
    expect(why(world, 'c1')[0]).toMatch(/^done since .*Z: it was healthy for its whole soak$/);
    expect(why(world, 'c3')).toEqual(['dependency: db is not healthy']);
    expect(why(world, 'c4')).toEqual(['it waits for one of 1 slots of stage rest, or for its rate']);
    world.feed({ kind: 'pause', actor: 'ada', reason: 'lunch' });
    expect(why(world, 'c4')[0]).toBe('the rollout is paused by ada: lunch');
    expect(why(world, 'else')).toEqual(['it takes no part in the rollout: it holds the release already']);
  });
});

describe('a newer release', () => {
  const one = (id: string, phase: Standing['phase']): Standing => ({
    id,
    phase,
    paused: false,
    to: { id, label: id },
  });

  it.each([
    ['supersede', [], { begin: 'now', supersede: [] }],
    ['supersede', [one('a', 'running')], { begin: 'now', supersede: ['a'] }],
    ['supersede', [one('a', 'failed')], { begin: 'now', supersede: ['a'] }],
    ['supersede', [one('a', 'rolling-back')], { begin: 'queued', supersede: [] }],
    ['supersede', [one('a', 'rolling-back'), one('b', 'pending')], { begin: 'queued', supersede: ['b'] }],
    ['supersede', [one('a', 'completed'), one('b', 'rolled-back')], { begin: 'now', supersede: [] }],
    ['queue', [one('a', 'running'), one('b', 'pending')], { begin: 'queued', supersede: [] }],
    ['queue', [one('a', 'failed')], { begin: 'now', supersede: ['a'] }],
    ['batch', [one('a', 'running')], { begin: 'queued', supersede: [] }],
    ['batch', [one('a', 'running'), one('b', 'pending')], { begin: 'queued', supersede: ['b'] }],
  ] as const)('with %s beside %j', (superseding, standing, expected) => {
    expect(admit(superseding, standing)).toMatchObject(expected);
  });

  it('has its turn when nothing runs any more, the oldest first', () => {
    expect(nextInTurn([one('a', 'running'), one('b', 'pending')])).toBeUndefined();
    expect(nextInTurn([one('a', 'failed'), one('b', 'pending'), one('c', 'pending')])).toEqual({
      id: 'b',
      supersede: ['a'],
    });
    expect(nextInTurn([one('a', 'completed')])).toBeUndefined();
  });

  it('that waits says so, and can be ended', () => {
    const world = new World(policyOf([{ name: 'all' }]), fleet(1));
    const { policy, to } = world.state.rollout;
    world.state = enqueue({ id: 'r2', kind: 'release', policy, from: null, to, seed: 1, now: world.now });
    world.feed();
    expect(said(world).slice(0, 2)).toEqual(['B is waiting for its turn: 0 of 0 done', 'waits for its turn']);
    world.feed({ kind: 'abort', actor: 'ada', reason: 'no' });
    expect(world.state.rollout).toMatchObject({ phase: 'aborted', headHeld: false });
  });
});
