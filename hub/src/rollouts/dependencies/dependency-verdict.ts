import { type Dependency, type Phase, type Rollout, dependencyText } from '@muster/rollout';

/** Something that keeps a target from what it is to hold. */
export interface DependencyBlocker {
  /** What is waited for, and where. */
  on: string;
  /** How that is. */
  reason: string;
  /** Unix milliseconds; null: nobody knows. */
  since: number | null;
  /** No event tells when it ends: it is looked at again soon. */
  soon: boolean;
}

/** An Application that is waited for in a cluster. */
export interface AwaitedTarget {
  namespace: string;
  name: string;
  /** The cluster in which it is waited for; empty: it is waited for wherever it is, and is on none. */
  cluster: string;
  /** It is not in that cluster, but in this one; null: in none. */
  elsewhere: { cluster: string | null } | null;
  /** Its removal is under way. */
  going: boolean;
  /** Its owner is being expanded or rendered. */
  pending: boolean;
  /** What it is to hold: where it is held, that, else what its owner's newest release says; null: nothing yet. */
  expected: string | null;
  held: boolean;
  assigned: string | null;
  /** Its agent has reported what is assigned applied. */
  applied: boolean;
  connected: boolean;
  silentSince: Date | null;
  /** Something was heard in its agent's session of now. */
  heard: boolean;
  health: string | null;
  healthSince: Date | null;
  /** Its health was observed after the apply. */
  observed: boolean;
}

/** A stage of a set that is waited for. */
export interface AwaitedStage {
  pending: boolean;
  /** The set has a release. */
  released: boolean;
  /** Its newest rollout; `index`: the stage there, -1: it has none of that name. Null: it never had one. */
  rollout: { id: string; rollout: Rollout; index: number } | null;
}

/** Why an Application is not yet what those that wait for it need; undefined: it is. */
export function verdictOfTarget(target: AwaitedTarget): DependencyBlocker | undefined {
  const { namespace, name, cluster, elsewhere } = target;
  const on = `Application ${namespace}/${name}${inCluster(cluster)}`;
  const waits = (reason: string, since: Date | null = null, soon = false): DependencyBlocker => ({
    on,
    reason,
    since: since?.getTime() ?? null,
    soon,
  });
  if (target.going) return waits('it is being removed');
  if (target.pending) return waits('its newest commit is being rendered', null, true);
  if (elsewhere && target.assigned === null)
    return waits(
      elsewhere.cluster === null ? 'it is on no cluster' : `it is on cluster ${elsewhere.cluster}`,
    );
  if (target.expected === null)
    return waits(target.held ? 'it waits for its own turn' : 'it has no release there yet');
  if (target.assigned !== target.expected) return waits('it has not been given its release yet');
  if (!target.connected) return waits('its agent is silent', target.silentSince);
  if (!target.heard) return waits('its agent has come back, and has said nothing yet', null, true);
  if (!target.applied) return waits('it has not applied its release yet');
  if (target.health !== 'Healthy') return waits(target.health ?? 'Unknown', target.healthSince);
  if (!target.observed) return waits('its health was not observed since it was applied');
  return undefined;
}

function inCluster(cluster: string | null): string {
  return cluster ? ` on cluster ${cluster}` : '';
}

/** `cluster`: null where it is waited for wherever it is. */
export function unknownTarget(
  dependency: Extract<Dependency, { kind: 'application' | 'set' }>,
  cluster: string | null,
  there: boolean,
): DependencyBlocker {
  const on = `${dependencyText(dependency)}${inCluster(cluster)}`;
  const reason = !there
    ? `there is no ${dependencyText(dependency)}`
    : `${dependencyText(dependency)} has no Application${inCluster(cluster)}`;
  return { on, reason, since: null, soon: false };
}

/**
 * Whether a stage has let its set's newest release through. `look`: no rollout tells, as there was none or it ended early; its
 * targets have to be healthy at what they are to hold.
 */
export function verdictOfStage(
  dependency: Extract<Dependency, { kind: 'stage' }>,
  stage: AwaitedStage | undefined,
): DependencyBlocker | 'passed' | 'look' {
  const on = dependencyText(dependency);
  const set = `ApplicationSet ${dependency.namespace}/${dependency.name}`;
  const waits = (reason: string, since: number | null = null, soon = false): DependencyBlocker => ({
    on,
    reason,
    since,
    soon,
  });
  if (!stage) return waits(`there is no ${set}`);
  if (stage.pending) return waits('its newest commit is being rendered', null, true);
  if (!stage.released) return waits(`${set} has no release yet`);
  if (!stage.rollout) return 'look';
  const { rollout, index } = stage.rollout;
  if (rollout.phase === 'pending') return waits(`${rollout.to.label} waits for its turn`, rollout.createdAt);
  if (index < 0)
    return rollout.kind === 'undo'
      ? ended(rollout, waits)
      : waits(`the rollout of ${rollout.to.label} has no such stage`);
  if (rollout.phase === 'running' || rollout.phase === 'completed') {
    const { step, since } = rollout.stages[index]!;
    if (rollout.phase === 'completed' || step === 'passed' || rollout.stage > index) return 'passed';
    return waits(`${STEPS[step] ?? step} with ${rollout.to.label}`, since);
  }
  return ended(rollout, waits);
}

const STEPS: Record<string, string> = {
  waiting: 'not begun',
  entry: 'at its entry',
  end: 'at its end',
};

function ended(
  { phase, since, to }: Rollout,
  waits: (reason: string, since: number) => DependencyBlocker,
): DependencyBlocker | 'look' | 'passed' {
  if (phase === 'completed') return 'passed';
  if (OPEN.has(phase)) return waits(`${to.label} is ${phase}`, since);
  return 'look';
}

const OPEN: ReadonlySet<string> = new Set<Phase>(['pending', 'running', 'rolling-back', 'failed']);

/** Why some of a stage's targets keep it from being healthy; undefined: none does. */
export function verdictOfTargets(
  dependency: Extract<Dependency, { kind: 'stage' }>,
  targets: readonly AwaitedTarget[],
): DependencyBlocker | undefined {
  const ill = targets.flatMap((target) => verdictOfTarget(target) ?? []);
  const [first] = ill;
  if (!first) return undefined;
  const reason = `${ill.length} of ${targets.length} are not healthy at their release; ${first.on}: ${first.reason}`;
  return { on: dependencyText(dependency), reason, since: first.since, soon: ill.some(({ soon }) => soon) };
}

/** As a rollout shows it, and as a person reads it. */
export function blockerText({ on, reason, since }: DependencyBlocker): string {
  const from = since === null ? '' : ` since ${new Date(since).toISOString().replace(/\.\d+Z$/, 'Z')}`;
  return `${on}: ${reason}${from}`;
}
