import type { WhyKind, WhyLink } from '@muster/api';
import type { TargetBlocker } from '@muster/rollout';
import { circleEnds, circleText } from '../rollouts/dependencies/circle-words.ts';
import { REASON, link, operatorOf } from './links.ts';
import type { HoldFacts, PinFacts, RolloutFacts, WhyFacts } from './why-facts.ts';

type What = TargetBlocker['what'];

const KINDS: Record<What, WhyKind> = {
  paused: 'paused',
  turn: 'turn',
  decision: 'budget',
  approval: 'approval',
  window: 'window',
  gate: 'gate',
  offline: 'agent',
  dependency: 'dependency',
  hand: 'hand',
  slots: 'slot',
  slot: 'slot',
  apply: 'delivery',
  health: 'health',
  soak: 'soak',
  restore: 'rollback',
  stage: 'stage',
  stopped: 'budget',
  rollback: 'rollback',
  failed: 'failed',
  skipped: 'skipped',
};

/** Its turn has come: what its cluster says of it comes before these. */
const IN_FLIGHT: ReadonlySet<What> = new Set<What>(['apply', 'health', 'soak']);

/** What its rollout waits for before the target gets the release. */
export function turnLinks({ rollout, project }: WhyFacts, id: string): WhyLink[] {
  if (!rollout) return [];
  return rollout.blockers
    .filter(({ what, who }) => !isOwnFlight(what, who, id))
    .map((blocker) => blockerLink(blocker, rollout.owner, project));
}

/** What its rollout waits for once it has the release. */
export function flightLinks({ rollout, project }: WhyFacts, id: string): WhyLink[] {
  if (!rollout) return [];
  return rollout.blockers
    .filter(({ what, who }) => isOwnFlight(what, who, id))
    .map((blocker) => blockerLink(blocker, rollout.owner, project));
}

function isOwnFlight(what: What, who: readonly string[], id: string): boolean {
  return IN_FLIGHT.has(what) && who.length === 1 && who[0] === id;
}

export function blockerLink(
  blocker: Omit<RolloutFacts['blockers'][number], 'count'>,
  owner: string,
  project: string,
): WhyLink {
  const { what, text, since, until, who, label } = blocker;
  const { ends, command, by } = remedyOf(what, who, owner, project);
  return link(KINDS[what], `${label}: ${text}`, { since, until, ends, command, who: by });
}

interface Remedy {
  ends?: string;
  command?: string;
  by?: string;
}

function remedyOf(what: What, who: readonly string[], owner: string, project: string): Remedy {
  const by = operatorOf(project);
  switch (what) {
    case 'approval': {
      const groups = who.length > 0 ? ` in ${who.join(' or ')}` : '';
      return {
        ends: 'enough approvals',
        command: `muster rollout approve ${owner} ${REASON}`,
        by: `an approver of project ${project}${groups}`,
      };
    }
    case 'paused':
      return { ends: 'somebody resumes it', command: `muster rollout resume ${owner} ${REASON}`, by };
    case 'decision':
    case 'stopped':
    case 'failed':
      return {
        ends: 'a newer commit, or somebody who tries again, takes it back or ends it',
        command: `muster rollout retry|undo|abort ${owner} ${REASON}`,
        by,
      };
    case 'hand':
      return { ends: 'somebody starts it', command: `muster rollout start ${owner} --target …`, by };
    case 'skipped':
      return { ends: 'the next release' };
    case 'gate':
      return { ends: 'it is met', command: `muster rollout get ${owner}`, by: `${by}, by skipping it` };
    case 'window':
      return { ends: 'the window opens', command: `muster rollout get ${owner}` };
    case 'turn':
    case 'stage':
    case 'slots':
    case 'slot':
    case 'rollback':
    case 'restore':
      return { ends: 'it goes on by itself', command: `muster rollout get ${owner}` };
    case 'offline':
    case 'dependency':
    case 'apply':
    case 'health':
    case 'soak':
      return { command: `muster rollout get ${owner}` };
  }
}

/** An operator's override: nothing moves it. */
export function pinLinks(pin: PinFacts | null, app: string, project: string): WhyLink[] {
  if (!pin) return [];
  const at = pin.label ? ` at ${pin.label}` : '';
  return [
    link('pinned', `${pin.by} pinned it${at}${pin.reason ? `: ${pin.reason}` : ''}`, {
      since: pin.since,
      until: pin.until,
      ends: pin.until ? 'its time is over, or somebody lets go of it' : 'somebody lets go of it',
      command: `muster app unpin ${app} ${REASON}`,
      who: operatorOf(project),
    }),
  ];
}

/** It depends on others that are not healthy, and is given nothing before they are. */
export function dependencyLinks({ waits, rollout }: WhyFacts, app: string): WhyLink[] {
  if (!waits || rollout?.blockers.some(({ what }) => what === 'dependency')) return [];
  return waits.on.slice(0, 5).map(({ on, reason }) =>
    link('dependency', `it waits for ${on}: ${reason}`, {
      since: waits.since,
      ends: 'that is healthy at its release',
      command: `muster app get ${app}`,
    }),
  );
}

/** Nothing but a change of what is written ends it. */
export function circleLink(circle: { text: string; causes: string[] }): WhyLink {
  return link('dependency', circleText(circle), {
    ends: circleEnds(circle),
    who: 'whoever writes the annotation, or an admin, by the policy',
  });
}

/** It is kept from the newest release, and no open rollout says why. */
export function holdLinks(hold: HoldFacts | null, owner: string, project: string): WhyLink[] {
  if (!hold) return [];
  const meanwhile = hold.empty ? '; it holds nothing' : hold.label ? `; it holds ${hold.label}` : '';
  const { ended } = hold;
  if (!ended) return [link('held', `${hold.reason}${meanwhile}`, { since: hold.since })];
  const why = ended.failure ? ` (${ended.failure})` : '';
  const text = `${ended.label} is held back, its rollout is ${ended.phase}${why}${meanwhile}`;
  return [
    link('held', text, {
      since: hold.since,
      ends: 'a newer commit, or somebody who tries it again',
      command: `muster rollout retry ${owner} ${REASON}`,
      who: operatorOf(project),
    }),
  ];
}
