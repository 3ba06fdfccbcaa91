import { describeKey, parseKeyString } from '@muster/kube';
import { type HubTime, type Verb, verbRefusal } from '@muster/link';
import type { HealBudget } from '../observe/healing.ts';
import type { Writer } from '../observe/live-object.ts';
import type { Application } from './application.ts';
import { foreignCondition } from './foreign.ts';
import type { Cluster } from './cluster.ts';
import { type Power, isObserver } from './power.ts';
import { stoppedText } from './uninstalling.ts';

/** Sets the conditions that follow from what is known of an Application; those of its syncs are set as they end. */
export function describeConditions(
  app: Application,
  budget: HealBudget,
  cluster: Pick<Cluster, 'power' | 'now' | 'hubTime'>,
): void {
  const { power } = cluster;
  const now = cluster.now();
  const heals = foughtText(app, budget, now);
  app.condition('SelfHealBackoff', heals, now);
  app.condition('ComparisonError', app.comparisonError, now);
  for (const type of ['AccountDenied', 'ProjectDenied', 'NamespaceDenied', 'KindDenied', 'InvalidManifest']) {
    const texts = app.problems.filter((each) => each.type === type).map(({ message }) => message);
    app.condition(type, texts.slice(0, 10).join('; '), now);
  }
  app.condition('ForeignResource', foreignCondition(app), now);
  app.condition('Notice', app.assignment.notices.join('; '), now);
  app.condition('SyncWindow', windowText(app, cluster.hubTime()), now);
  app.condition('ObserveOnly', isObserver(power) ? OBSERVES : '', now);
  app.condition('VerbRefused', isObserver(power) ? '' : refusedText(app, power), now);
  app.condition('PruneConfirmation', app.leaving ? '' : heldText(app), now);
  app.condition('DeleteConfirmation', app.leaving ? (stoppedText(app) ?? heldText(app)) : '', now);
  const failed = app.removal?.failure || app.operation?.phase === 'Error';
  if (!app.leaving || !failed) app.condition('RemovalError', undefined, now);
  else if (app.removal?.failure) app.condition('RemovalError', app.removal.failure, now);
}

/** What is left alone for a while because someone else changes it again and again, and who that is. */
function foughtText(app: Application, budget: HealBudget, now: number): string {
  const fights = budget.fights(now, (key) => app.resources.get(key)?.sync === 'OutOfSync');
  if (fights.length === 0) return '';
  const texts = fights.slice(0, 5).map(({ key, heals, pausedUntil, writer }) => {
    const name = parseKeyString(key);
    const times = `${heals} ${heals === 1 ? 'time' : 'times'} within ten minutes`;
    return `${name ? describeKey(name) : key} was put back ${times} and ${undoneBy(writer)}; next at ${new Date(pausedUntil).toISOString()}`;
  });
  const more = fights.length > 5 ? `; and ${fights.length - 5} more` : '';
  return `someone else keeps changing what Muster puts back, so it is left alone for a while: ${texts.join('; ')}${more}`;
}

function undoneBy(writer: Writer | undefined): string {
  if (!writer) return 'deleted or changed again by someone unnamed';
  const when = writer.timeMs > 0 ? `, last at ${new Date(writer.timeMs).toISOString()}` : '';
  return `changed again by ${writer.manager} (${writer.operation || 'unknown operation'}${when})`;
}

/** Why no sync begins now: by itself, or where nothing is automated at all. */
function windowText(app: Application, time: HubTime): string {
  const window = app.leaving ? undefined : app.mayBegin(!app.automated, time);
  if (!window || window.allowed) return '';
  const until = window.untilMs ? `until ${new Date(window.untilMs).toISOString()} at least` : 'for now';
  return `no sync begins${app.automated ? ' by itself' : ''} ${until}: ${window.reason}`;
}

const OBSERVES =
  'this agent reports and changes nothing (MUSTER_AGENT_VERBS, limits.verbs of its chart): nothing is applied, healed, pruned or removed. Objects are compared with their manifests, field by field, as no dry run is sent';

/** What the policy asks for and the agent does not accept. */
function refusedText(app: Application, power: Power): string {
  if (!power.accepted || app.leaving) return '';
  const waits = [...app.resources.values()].filter(({ sync }) => sync === 'OutOfSync');
  const wanted: Verb[] = [];
  if (app.automated && app.applied.assignment !== app.content) wanted.push('apply');
  if (app.assignment.syncPolicy?.prune && waits.some(({ requiresPruning }) => requiresPruning))
    wanted.push('prune');
  if (app.selfHeal && waits.some(({ drift }) => drift && drift.driftClass !== 'pending')) wanted.push('heal');
  return wanted.flatMap((verb) => verbRefusal(power.accepted, verb) ?? []).join('; ');
}

/** What waits for a confirmation, and how to give it. */
function heldText(app: Application): string {
  if (app.kept.size === 0) return '';
  const texts = [...app.kept].slice(0, 5).map(([key, { reason }]) => {
    const name = parseKeyString(key);
    return `${name ? describeKey(name) : key} (${reason})`;
  });
  const more = app.kept.size > 5 ? `; and ${app.kept.size - 5} more` : '';
  return `kept until someone confirms with \`muster app confirm\`: ${texts.join('; ')}${more}`;
}

/** Whether an object was applied as another bundle has it, for example by a sync that failed later. */
export function leftHalfWay(app: Application): boolean {
  for (const [key, hash] of app.desired ?? []) {
    const applied = app.inventory.get(key)?.applied;
    if (applied && applied !== hash) return true;
  }
  return false;
}
