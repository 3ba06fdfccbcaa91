import { describe, expect, it } from 'vitest';
import { approval, rollout, stage, target } from './sample.fixture.ts';
import { type May, gateVerbs, rolloutVerbs, stageVerbs, targetVerbs, verbBody, verbText } from './verbs.ts';

const admin: May = { operate: true, approve: true, admin: true, project: 'shop' };
const viewer: May = { operate: false, approve: false, admin: false, project: 'shop' };
const labels = (offers: { label: string }[]) => offers.map(({ label }) => label);

describe('what is offered for a rollout', () => {
  it.each([
    ['that runs', {}, ['Pause', 'Undo', 'Abort']],
    ['that is paused', { paused: true }, ['Resume', 'Undo', 'Abort']],
    ['that waits for its turn', { phase: 'pending' }, ['Pause', 'Abort']],
    [
      'that has stopped',
      { phase: 'failed', progress: [stage('rest', { states: { failed: 1 } })] },
      ['Pause', 'Retry', 'Undo', 'Abort'],
    ],
    [
      'that goes back',
      { phase: 'rolling-back', rollback: { scope: 'all', since: '', cause: '' } },
      ['Pause'],
    ],
    ['that was taken back', { phase: 'rolled-back', headHeld: true }, ['Roll out again', 'Go back to …']],
    ['that is complete', { phase: 'completed' }, ['Go back to …']],
    ['that was superseded', { phase: 'superseded' }, []],
  ] as const)('%s', (_, change, expected) => {
    expect(labels(rolloutVerbs(rollout(change as never), admin))).toEqual(expected);
  });

  it('is refused to a viewer, in words, and not hidden', () => {
    const offers = rolloutVerbs(rollout(), viewer);
    expect(labels(offers)).toEqual(['Pause', 'Undo', 'Abort']);
    expect(new Set(offers.map(({ refused }) => refused))).toEqual(
      new Set(['This needs the role operator of the project shop.']),
    );
  });

  it('says hub-wide where its Applications are of several projects', () => {
    expect(rolloutVerbs(rollout(), { ...viewer, project: '' })[0]!.refused).toMatch('of all projects');
  });
});

describe('what is offered for a gate', () => {
  it('is to decide on an approval that is asked for, and to pass it over', () => {
    expect(gateVerbs(rollout(), 'rest', approval(), admin)).toEqual([
      { ask: { verb: 'approve', stage: 'rest', gate: 'sign-off' }, label: 'Approve', danger: false },
      { ask: { verb: 'reject', stage: 'rest', gate: 'sign-off' }, label: 'Reject', danger: true },
      { ask: { verb: 'skip', stage: 'rest', gate: 'sign-off' }, label: 'Skip gate', danger: true },
    ]);
    expect(labels(gateVerbs(rollout(), 'rest', approval({ status: 'pending' }), admin))).toEqual([
      'Skip gate',
    ]);
    expect(gateVerbs(rollout(), 'rest', approval({ status: 'passed' }), admin)).toEqual([]);
    expect(gateVerbs(rollout({ phase: 'aborted' }), 'rest', approval(), admin)).toEqual([]);
  });

  it('is refused without the role, without the group, and to who has approved', () => {
    const refused = (gate: ReturnType<typeof approval>, may: May) =>
      gateVerbs(rollout(), 'rest', gate, may).map((one) => one.refused);
    expect(refused(approval(), { ...admin, approve: false })[0]).toMatch('role approver of the project shop');
    expect(refused(approval({ yours: false }), admin)[0]).toMatch('Only owners may approve');
    expect(refused(approval({ yours: false, groups: [] }), admin)[0]).toBe('You have approved it already.');
    expect(refused(approval(), { ...admin, operate: false })).toEqual([
      undefined,
      undefined,
      'This needs the role operator of the project shop.',
    ]);
    // Who may not approve must not get round it either.
    expect(refused(approval(), { ...admin, admin: false })[2]).toMatch('role admin of the project shop');
    const measured = approval({ kind: 'http', status: 'failed' });
    expect(refused(measured, { ...admin, admin: false, approve: false })).toEqual([undefined]);
    expect(refused(measured, { ...admin, operate: false })[0]).toMatch('role operator of the project shop');
  });
});

describe('what is offered for parts', () => {
  it('is to pass over what waits in a stage, where something does', () => {
    expect(labels(stageVerbs(rollout(), rollout().progress[1]!, admin))).toEqual(['Skip waiting']);
    expect(stageVerbs(rollout(), rollout().progress[0]!, admin)).toEqual([]);
  });

  it.each([
    ['failed', ['Retry', 'Skip']],
    ['waiting', ['Skip']],
    ['manual', ['Start', 'Skip']],
    ['done', []],
  ])('of a target that is %s: %s', (state, expected) => {
    expect(labels(targetVerbs(rollout(), target(state), admin))).toEqual(expected);
  });

  it('is nothing on the way back, which stages and gates do not hold', () => {
    const back = rollout({ phase: 'rolling-back', rollback: { scope: 'all', since: '', cause: '' } });
    expect(targetVerbs(back, target('waiting'), admin)).toEqual([]);
    expect(stageVerbs(back, back.progress[1]!, admin)).toEqual([]);
    expect(gateVerbs(back, 'rest', approval(), admin)).toEqual([]);
  });

  it('is a start where a stage starts none by itself, unless its agent is away', () => {
    const byHand = rollout({ progress: [stage('rest', { slots: 0 })] });
    expect(targetVerbs(byHand, target('waiting'), admin)[0]).toMatchObject({ label: 'Start' });
    expect(targetVerbs(byHand, target('waiting', { connected: false }), admin)[0]!.refused).toMatch(
      'not connected',
    );
  });
});

describe('a dialog', () => {
  it('says what will happen and to how many, and asks for a reason where something is lost', () => {
    const pause = verbText(rollout(), { verb: 'pause' });
    expect(pause).toMatchObject({ title: 'Pause the rollout of argocd/web #2', needsReason: false });
    expect(pause.says[0]).toBe('Nothing more is started: 1 target waits and keeps what it holds.');
    const undo = verbText(rollout(), { verb: 'undo' });
    expect(undo.needsReason).toBe(true);
    expect(undo.says[0]).toMatch(/^2 targets go back to what was last proven good there: mostly release #1/);
    expect(undo.says.join()).not.toMatch('paused');
    expect(verbText(rollout({ paused: true }), { verb: 'undo' }).says.join()).toMatch(
      'until somebody resumes it',
    );
  });

  it('of what has ended is about the release that follows', () => {
    const ended = rollout({ phase: 'rolled-back', headHeld: true });
    expect(verbText(ended, { verb: 'undo' })).toMatchObject({
      title: 'Go back to a release of argocd/web',
      label: 'Go back',
    });
    expect(verbText(ended, { verb: 'retry' })).toMatchObject({
      title: 'Roll argocd/web out again',
      label: 'Roll out again',
      needsReason: false,
    });
  });

  it('says whether an approval is the last that is needed', () => {
    const asked = (approvals: { actor: string; at: string; reason: string }[]) =>
      verbText(rollout({ progress: [stage('rest', { gates: [approval({ approvals })] })] }), {
        verb: 'approve',
        stage: 'rest',
        gate: 'sign-off',
      });
    expect(asked([]).says).toEqual(['1 more approval is needed after yours.']);
    expect(asked([{ actor: 'ann', at: '', reason: '' }]).says).toEqual([
      'Yours is the last that is needed: stage rest begins with 2 targets.',
    ]);
  });

  it('asks the hub for exactly what was chosen', () => {
    expect(verbBody({ verb: 'skip', target: 'a' }, 'why')).toEqual({
      verb: 'skip',
      target: 'a',
      reason: 'why',
    });
    expect(verbBody({ verb: 'skip', stage: 's', gate: 'g' }, '')).toEqual({
      verb: 'skip',
      stage: 's',
      gate: 'g',
      reason: '',
    });
    expect(verbBody({ verb: 'retry' }, '')).toEqual({ verb: 'retry', reason: '' });
    expect(verbBody({ verb: 'start', target: 'a' }, '')).toEqual({
      verb: 'start',
      targets: ['a'],
      reason: '',
    });
    expect(verbBody({ verb: 'undo' }, 'x', 41)).toEqual({ verb: 'undo', to: 41, reason: 'x' });
  });
});
