import { gateOf, stepOf } from './story-outcome.ts';
import type { Story } from './story.ts';

/** It does not end while the story is played. */
const FOREVER = '10h';
/** It is over soon, and nothing happens meanwhile. */
const SHORT = '1s';

const only = (...is: string[]) => ({ matchExpressions: [{ key: 'is', operator: 'In', values: is }] });
const approval = (name: string, at: 'entry' | 'end') => ({ name, at, approval: {} });

/** Approvals before and after a stage; what is tried again, and what is passed over after it has failed; an empty stage. */
const gates: Story = {
  name: 'gates',
  clusters: ['a', 'b', 'c'],
  policy: {
    defaults: { soak: '0s', deadline: FOREVER, onFailure: 'stop' },
    stages: [
      {
        name: 'first',
        clusters: only('a', 'b'),
        failureBudget: 1,
        gates: [approval('enter', 'entry'), approval('one', 'end'), approval('two', 'end')],
      },
      { name: 'empty', clusters: only('nobody') },
      { name: 'rest', soak: SHORT },
    ],
  },
  async play(run) {
    run.trouble('b', 'new', 'degraded');
    await run.commit();
    await run.asked('enter');
    await run.ask({ verb: 'pause' }, ({ rollout }) => rollout.paused !== null);
    await run.ask({ verb: 'resume' }, ({ rollout }) => rollout.paused === null);
    await run.approve('enter');
    await run.come({ a: 'done', b: 'failed' });
    await run.approve('one');
    await run.asked('two');
    await run.cure('b');
    await run.retry('b', (rows) => gateOf(rows, 'one') !== 'passed');
    await run.come({ b: 'done' });
    await run.approve('one');
    await run.reject('two', ({ rollout }) => rollout.phase === 'failed');
    await run.ask({ verb: 'retry' }, ({ rollout }) => rollout.phase === 'running');
    await run.reject('two', ({ rollout }) => rollout.phase === 'failed');
    await run.skipGate('first', 'two');
    await run.phase('completed');
  },
};

/** Targets and gates that somebody passes over, in every state in which that may be. */
const skipping: Story = {
  name: 'skipping',
  clusters: ['a', 'b', 'e', 'f', 'g', 'i', 'j'],
  policy: {
    defaults: { soak: '0s', deadline: FOREVER },
    stages: [
      {
        name: 'early',
        clusters: only('a', 'b', 'e', 'f'),
        failureBudget: 1,
        offline: { mode: 'catch-up', after: SHORT },
        gates: [approval('go', 'end')],
      },
      { name: 'held', clusters: only('g', 'j'), gates: [approval('never', 'entry')] },
    ],
  },
  async play(run) {
    run.trouble('a', 'new', 'never');
    run.trouble('b', 'new', 'stuck');
    run.trouble('f', 'new', 'degraded');
    await run.goesAway('e');
    await run.commit();
    await run.skip('g');
    await run.skipGate('held', 'never');
    await run.come({ a: 'assigned', b: 'applied', e: 'deferred', f: 'failed', i: 'manual' });
    for (const one of ['a', 'b', 'e', 'f', 'i']) await run.skip(one);
    await run.asked('go');
    await run.skipGate('early', 'go');
    await run.phase('completed');
    run.comesBack('e');
    await run.cure('a', 'b', 'f');
  },
};

/** What comes after its stage, because it was offline or failed; what is started by hand; health that breaks. */
const late: Story = {
  name: 'late',
  clusters: ['c', 'd', 'h', 'j', 'k'],
  policy: {
    defaults: { soak: '0s', deadline: FOREVER },
    stages: [
      {
        name: 'early',
        clusters: only('d', 'k'),
        failureBudget: 1,
        offline: { mode: 'catch-up', after: SHORT },
      },
      { name: 'soaks', clusters: only('c'), soak: FOREVER },
      { name: 'held', clusters: only('j'), gates: [approval('hold', 'end')] },
    ],
  },
  async play(run) {
    run.trouble('k', 'new', 'degraded');
    await run.goesAway('d');
    await run.commit();
    await run.come({ d: 'deferred', k: 'failed' });
    await run.until('c soaks', (rows) => stepOf(rows, 'soaks') === 'soaking');
    run.say('c', 'Progressing');
    await run.come({ c: 'applied' });
    await run.skip('c');
    await run.asked('hold');
    run.comesBack('d');
    await run.cure('k');
    await run.retry('k');
    await run.startByHand('h');
    await run.come({ d: 'done', h: 'done', k: 'done' });
    await run.approve('hold');
    await run.phase('completed');
    await run.cure('c');
  },
};

/** Every way to fail, and every bad way to go back: never applied, unheard, to nothing. A newer release takes its place. */
const failing: Story = {
  name: 'failing',
  clusters: ['a', 'b', 'c', 'd', 'u', 'k'],
  policy: {
    defaults: { soak: '0s', deadline: FOREVER, onFailure: 'rollback-all', failureBudget: 1 },
    stages: [
      { name: 'slow', clusters: only('a', 'k'), deadline: SHORT, failureBudget: 2 },
      { name: 'soaks', clusters: only('b'), soak: FOREVER },
      { name: 'proves', clusters: only('c', 'd', 'u'), gates: [approval('go', 'end')] },
    ],
    rollback: { maxConcurrent: '100%', deadline: SHORT },
  },
  async play(run) {
    for (const one of ['a', 'k']) run.trouble(one, 'new', 'never');
    for (const one of ['a', 'b', 'c', 'd']) run.trouble(one, 'back', 'never');
    const first = await run.commit();
    await run.come({ a: 'failed', k: 'failed', b: 'healthy' });
    run.say('b', 'Degraded');
    await run.come({ b: 'failed', c: 'done', d: 'done', u: 'done' });
    await run.asked('go');
    run.say('c', 'Degraded');
    await run.come({ c: 'failed' });
    await run.goesAway('u');
    await run.isMissed('u');
    await run.reject('go', ({ rollout }) => rollout.rollback !== null);
    await run.phase('failed');
    run.comesBack('u');
    await run.cure('b', 'c', 'd');
    await run.commit();
    await run.phase('superseded', first);
    await run.come({ a: 'failed', k: 'failed', b: 'healthy' });
    await run.ask({ verb: 'abort' }, ({ rollout }) => rollout.phase === 'aborted');
  },
};

/** Releases that wait for their turn, and what is ended by hand. */
const queued: Story = {
  name: 'queued',
  clusters: ['a'],
  policy: {
    superseding: 'batch',
    defaults: { deadline: FOREVER },
    stages: [{ name: 'all', onFailure: 'stop', gates: [approval('go', 'entry')] }],
  },
  async play(run) {
    const abort = (id: string) =>
      run.ask({ verb: 'abort' }, ({ rollout }) => rollout.phase === 'aborted', id);
    const first = await run.commit();
    await run.asked('go');
    const second = await run.commit();
    const third = await run.commit();
    await run.phase('superseded', second);
    await abort(third);
    await abort(first);
    const fourth = await run.commit();
    await run.reject('go', ({ rollout }) => rollout.phase === 'failed');
    await abort(fourth);
    const running = await run.commit();
    await run.asked('go');
    const next = await run.commit();
    await run.ask({ verb: 'pause' }, ({ rollout }) => rollout.paused !== null);
    await run.approve('go', running);
    await run.phase('completed', running);
    await run.phase('running', next);
    await run.ask({ verb: 'resume' }, ({ rollout }) => rollout.paused === null);
    await run.approve('go');
    await run.phase('completed');
  },
};

/** Targets that somebody keeps where they are for a while: before, after and outside of the stages. */
const pinned: Story = {
  name: 'pinned',
  clusters: ['a', 'b', 'm'],
  policy: {
    defaults: { deadline: FOREVER },
    stages: [
      { name: 'one', clusters: only('b') },
      { name: 'two', clusters: only('a'), gates: [approval('go', 'entry')] },
    ],
  },
  async play(run) {
    await run.commit();
    await run.asked('go');
    for (const one of ['a', 'b', 'm']) await run.pin(one);
    for (const one of ['a', 'b', 'm']) await run.unpin(one);
    await run.come({ a: 'waiting', b: 'done', m: 'manual' });
    await run.approve('go');
    await run.phase('completed');
  },
};

/** A newer release, a cluster that leaves and joins again, and somebody who takes everything back. */
const changing: Story = {
  name: 'changing',
  clusters: ['a', 'b', 'x'],
  policy: {
    defaults: { deadline: FOREVER, onFailure: 'stop' },
    stages: [
      { name: 'one', clusters: only('b', 'x') },
      { name: 'two', clusters: only('a'), gates: [approval('go', 'entry')] },
    ],
    rollback: { deadline: FOREVER },
  },
  async play(run) {
    const first = await run.commit();
    await run.asked('go');
    await run.commit();
    await run.phase('superseded', first);
    await run.asked('go');
    await run.leaves('x');
    await run.joins('x');
    await run.come({ x: 'done' });
    await run.reject('go', ({ rollout }) => rollout.phase === 'failed');
    await run.ask({ verb: 'undo' }, ({ rollout }) => rollout.rollback !== null);
    await run.phase('rolled-back');
    await run.commit();
    await run.approve('go');
    await run.phase('completed');
  },
};

/** Together they come over every kind of transition that there is. */
export const STORIES: readonly Story[] = [gates, skipping, late, failing, queued, pinned, changing];
