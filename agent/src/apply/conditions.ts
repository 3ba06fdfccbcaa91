import { describeKey, parseKeyString } from '@muster/kube';
import type { HealBudget } from '../observe/healing.ts';
import type { Application } from './application.ts';

/** Sets the conditions that follow from what is known of an Application; those of its syncs are set as they end. */
export function describeConditions(app: Application, budget: HealBudget, now: number): void {
  const paused = budget.paused(now);
  const heals =
    paused.length > 0 ? `put back too often, left alone for a while: ${paused.slice(0, 5).join(', ')}` : '';
  app.condition('SelfHealBackoff', heals, now);
  app.condition('ComparisonError', app.comparisonError, now);
  for (const type of ['ProjectDenied', 'NamespaceDenied', 'InvalidManifest']) {
    const texts = app.problems.filter((each) => each.type === type).map(({ message }) => message);
    app.condition(type, texts.slice(0, 10).join('; '), now);
  }
  app.condition('Notice', app.assignment.notices.join('; '), now);
  app.condition('SyncWindow', windowText(app, now), now);
  app.condition('PruneConfirmation', app.leaving ? '' : heldText(app), now);
  app.condition('DeleteConfirmation', app.leaving ? heldText(app) : '', now);
}

/** Why no sync begins now: by itself, or where nothing is automated at all. */
function windowText(app: Application, now: number): string {
  const window = app.leaving ? undefined : app.mayBegin(!app.automated, now);
  if (!window || window.allowed) return '';
  const until = window.untilMs ? `until ${new Date(window.untilMs).toISOString()} at least` : 'for now';
  return `no sync begins${app.automated ? ' by itself' : ''} ${until}: ${window.reason}`;
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
