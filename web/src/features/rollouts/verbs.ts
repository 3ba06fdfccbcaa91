import type {
  RolloutDetail,
  RolloutGateView,
  RolloutStageDetail,
  RolloutTargetView,
  RolloutVerb,
} from '@muster/api';
import type { AskText } from '../../ui/ask-text.ts';
import { type Offer, needsRole } from '../../ui/offer.ts';
import { groupCounts, hasEnded, releaseName } from './rollout-state.ts';

export type Verb = RolloutVerb['verb'];

/** Something that somebody may ask of a rollout, or of a part of it. */
export interface Ask {
  verb: Verb;
  stage?: string;
  gate?: string;
  /** Id of a target. */
  target?: string;
}

/** What the session may do in the rollout's project; the hub decides again. */
export interface May {
  operate: boolean;
  approve: boolean;
  admin: boolean;
  project: string;
}

const DANGER: ReadonlySet<Verb> = new Set(['reject', 'skip', 'abort', 'undo']);

function offer(ask: Ask, label: string, refused?: string): Offer<Ask> {
  return { ask, label, danger: DANGER.has(ask.verb), ...(refused !== undefined && { refused }) };
}

function lacks({ operate, project }: May): string | undefined {
  return operate ? undefined : needsRole('operator', project);
}

/** What can be asked of the whole rollout now. */
export function rolloutVerbs(found: RolloutDetail, may: May): Offer<Ask>[] {
  const { phase, paused, rollback, progress } = found;
  const refused = lacks(may);
  if (hasEnded(found)) {
    if (phase === 'superseded') return [];
    return [
      ...(found.headHeld || phase === 'aborted' ? [offer({ verb: 'retry' }, 'Roll out again', refused)] : []),
      offer({ verb: 'undo' }, 'Go back to …', refused),
    ];
  }
  const failed = groupCounts(progress).failed > 0 || gatesOf(found).some(({ status }) => status === 'failed');
  return [
    paused ? offer({ verb: 'resume' }, 'Resume', refused) : offer({ verb: 'pause' }, 'Pause', refused),
    ...(failed && !rollback ? [offer({ verb: 'retry' }, 'Retry', refused)] : []),
    ...(phase !== 'pending' && !rollback ? [offer({ verb: 'undo' }, 'Undo', refused)] : []),
    ...(phase === 'rolling-back' ? [] : [offer({ verb: 'abort' }, 'Abort', refused)]),
  ];
}

/** On the way back its stages and gates decide nothing any more. */
function goesForward(found: RolloutDetail): boolean {
  return !hasEnded(found) && found.phase !== 'rolling-back' && found.rollback === undefined;
}

function gatesOf({ progress }: RolloutDetail): RolloutGateView[] {
  return progress.flatMap(({ gates }) => gates);
}

/** What can be asked of a gate: approvals while they are asked for, and to pass it over. */
export function gateVerbs(
  found: RolloutDetail,
  stage: string,
  gate: RolloutGateView,
  may: May,
): Offer<Ask>[] {
  if (!goesForward(found) || gate.status === 'passed' || gate.status === 'skipped') return [];
  const place = { stage, gate: gate.name };
  const votes =
    gate.kind === 'approval' && gate.status === 'open'
      ? [
          offer({ verb: 'approve', ...place }, 'Approve', cannotVote(gate, may, true)),
          offer({ verb: 'reject', ...place }, 'Reject', cannotVote(gate, may, false)),
        ]
      : [];
  // Who may not approve must not get round it either.
  const passOver = gate.kind === 'approval' && !may.admin ? needsRole('admin', may.project) : lacks(may);
  return [...votes, offer({ verb: 'skip', ...place }, 'Skip gate', passOver)];
}

function cannotVote(
  { groups = [], yours, approvals, count = 1 }: RolloutGateView,
  { approve, project }: May,
  approving: boolean,
): string | undefined {
  if (!approve) return needsRole('approver', project);
  if (yours) return undefined;
  if (groups.length === 0 || approvals.length >= count)
    return approving ? 'You have approved it already.' : undefined;
  return approving
    ? `Only ${groups.join(' or ')} may approve it, each of them once.`
    : `Only ${groups.join(' or ')} may reject it.`;
}

/** What can be asked of a stage: to pass over what still waits in it. */
export function stageVerbs(
  found: RolloutDetail,
  { name, states }: RolloutStageDetail,
  may: May,
): Offer<Ask>[] {
  if (!goesForward(found) || !(states['waiting']! > 0)) return [];
  return [offer({ verb: 'skip', stage: name }, 'Skip waiting', lacks(may))];
}

const SKIPPABLE = new Set(['waiting', 'deferred', 'manual', 'failed', 'assigned', 'applied']);

/** What can be asked of one target. */
export function targetVerbs(found: RolloutDetail, target: RolloutTargetView, may: May): Offer<Ask>[] {
  if (!goesForward(found)) return [];
  const { id, state, stage } = target;
  const refused = lacks(may);
  const all: Offer<Ask>[] = [];
  if (state === 'failed') all.push(offer({ verb: 'retry', target: id }, 'Retry', refused));
  const byHand = found.progress.find(({ name }) => name === stage)?.slots === 0 && stage === found.stage;
  if (found.phase === 'running' && (state === 'manual' || (byHand && state === 'waiting')))
    all.push(offer({ verb: 'start', target: id }, 'Start', refused ?? notStarted(found, target)));
  if (SKIPPABLE.has(state)) all.push(offer({ verb: 'skip', target: id }, 'Skip', refused));
  return all;
}

function notStarted(
  { paused }: RolloutDetail,
  { connected, blocked }: RolloutTargetView,
): string | undefined {
  if (paused) return 'The rollout is paused.';
  if (!connected) return 'Its agent is not connected.';
  return blocked && `It is held back: ${blocked}.`;
}

/** What a dialog says before anything is done. */
export function verbText(found: RolloutDetail, ask: Ask): AskText {
  const label = labelOf(found, ask);
  const needsReason = DANGER.has(ask.verb);
  return { title: titleOf(found, ask, label), label, says: saysOf(found, ask), needsReason };
}

function labelOf(found: RolloutDetail, { verb }: Ask): string {
  if (hasEnded(found) && verb === 'undo') return 'Go back';
  if (hasEnded(found) && verb === 'retry') return 'Roll out again';
  return verb.charAt(0).toUpperCase() + verb.slice(1);
}

function titleOf(found: RolloutDetail, { verb, stage, gate, target }: Ask, label: string): string {
  const { owner, to } = found;
  if (hasEnded(found))
    return verb === 'undo' ? `Go back to a release of ${owner}` : `Roll ${owner} out again`;
  if (gate !== undefined) return `${label} gate ${gate} of stage ${stage}`;
  if (target !== undefined) return `${label} ${target}`;
  if (stage !== undefined) return `Skip what waits in stage ${stage}`;
  return `${label} the rollout of ${owner} ${releaseName(to)}`;
}

function saysOf(found: RolloutDetail, ask: Ask): string[] {
  const { to, from, progress } = found;
  const counts = groupCounts(progress);
  const back = from ? `release ${releaseName(from)}` : 'what it held before';
  switch (ask.verb) {
    case 'pause':
      return [
        `Nothing more is started: ${many(counts.waiting, 'waits and keeps what it holds', 'wait and keep what they hold')}.`,
        `What is on its way goes on (${targets(counts.moving)}). A rollback would wait too, until somebody resumes it.`,
      ];
    case 'resume':
      return [`It goes on from where it was: ${many(counts.waiting, 'still waits', 'still wait')}.`];
    case 'approve':
      return approveSays(found, ask);
    case 'reject':
      return [
        `Stage ${ask.stage} fails, and its policy decides what follows: ${afterFailure(found, ask.stage)}.`,
      ];
    case 'skip':
      return skipSays(found, ask);
    case 'retry':
      return retrySays(found, ask, counts.failed);
    case 'start':
      return [
        `It is given release ${releaseName(to)} now, and synced to it. Its windows hold it back all the same.`,
      ];
    case 'abort':
      return [
        `It ends where it is. ${many(counts.done + counts.moving, 'has', 'have')} release ${releaseName(to)} already, and nothing is taken back.`,
        `${many(counts.waiting, 'waits and keeps what it holds', 'wait and keep what they hold')} until there is a newer commit, or somebody rolls it out again.`,
      ];
    case 'undo':
      return hasEnded(found)
        ? [
            `A new rollout gives every target of ${found.owner} the release that you choose, in one stage, as its policy goes back.`,
            'What it changes stays so until there is a newer commit.',
          ]
        : [
            `${many(counts.done + counts.moving + counts.failed, 'goes', 'go')} back to what was last proven good there: mostly ${back}.`,
            'Nothing else is started, and the release is not tried again before a newer commit.',
            ...(found.paused ? ['It is paused: the way back waits, too, until somebody resumes it.'] : []),
          ];
  }
}

function approveSays({ progress }: RolloutDetail, { stage, gate }: Ask): string[] {
  const its = progress.find(({ name }) => name === stage);
  const asked = its?.gates.find(({ name }) => name === gate);
  const missing = (asked?.count ?? 1) - (asked?.approvals.length ?? 0) - 1;
  if (missing > 0)
    return [`${missing} more ${missing === 1 ? 'approval is' : 'approvals are'} needed after yours.`];
  if (asked?.at === 'end')
    return [`Yours is the last that is needed: stage ${stage} passes, and the next one begins.`];
  return [`Yours is the last that is needed: stage ${stage} begins with ${targets(its?.size ?? 0)}.`];
}

function skipSays({ progress }: RolloutDetail, { stage, gate, target }: Ask): string[] {
  if (target !== undefined)
    return ['It takes no further part: nothing waits for it, and it counts as neither done nor failed.'];
  if (gate !== undefined) return [`The gate is not asked any more, and stage ${stage} goes on without it.`];
  const waiting = progress.find(({ name }) => name === stage)?.states['waiting'] ?? 0;
  return [
    `${many(waiting, `of stage ${stage} is passed over and keeps what it holds`, `of stage ${stage} are passed over and keep what they hold`)}. The stages after it go on without.`,
  ];
}

function retrySays(found: RolloutDetail, { target }: Ask, failed: number): string[] {
  if (hasEnded(found))
    return [
      `A new rollout of the newest release of ${found.owner} begins from the first stage, for every target that is held back from it.`,
    ];
  if (target !== undefined) return ['It waits for its turn again, and is given the release once more.'];
  return [
    `${many(failed, 'has failed and waits', 'have failed and wait')} for another turn; checks that failed are asked anew.`,
  ];
}

function afterFailure({ progress }: RolloutDetail, stage: string | undefined): string {
  const onFailure = progress.find(({ name }) => name === stage)?.onFailure ?? 'stop';
  return ON_FAILURE[onFailure];
}

export const ON_FAILURE: Record<RolloutStageDetail['onFailure'], string> = {
  stop: 'the rollout stops where it is',
  'rollback-failed': 'what failed goes back',
  'rollback-all': 'everything that was touched goes back',
};

const many = (count: number, one: string, more: string): string =>
  `${targets(count)} ${count === 1 ? one : more}`;
const targets = (count: number): string => (count === 1 ? '1 target' : `${count} targets`);

/** What the hub is asked. `to`: number of a release, where one was chosen. */
export function verbBody({ verb, stage, gate, target }: Ask, reason: string, to?: number): RolloutVerb {
  const place = { ...(stage !== undefined && { stage }), ...(gate !== undefined && { gate }) };
  switch (verb) {
    case 'approve':
    case 'reject':
      return { verb, ...place, reason };
    case 'skip':
      return { verb, ...(target === undefined ? place : { target }), reason };
    case 'retry':
      return { verb, ...(target !== undefined && { targets: [target] }), reason };
    case 'start':
      return { verb, targets: target === undefined ? [] : [target], reason };
    case 'undo':
      return { verb, ...(to !== undefined && { to }), reason };
    default:
      return { verb, reason };
  }
}
