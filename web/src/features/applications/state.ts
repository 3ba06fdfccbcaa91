import { shortCommit } from '@muster/api/commits';
import type { ApplicationView } from '@muster/api';
import type { Tone } from '../../lib/tone.ts';
import { isUnderWay } from '../rollouts/rollout-state.ts';

export type { Tone };

const SYNC: Record<string, Tone> = { Synced: 'good', OutOfSync: 'warn', Unknown: 'idle' };
const HEALTH: Record<string, Tone> = {
  Healthy: 'good',
  Progressing: 'busy',
  Degraded: 'bad',
  Suspended: 'idle',
  Missing: 'warn',
  Unknown: 'idle',
};
/** From the most to the least urgent. */
const URGENCY: readonly Tone[] = ['bad', 'warn', 'idle', 'busy', 'good'];

export const SYNC_WORDS = Object.keys(SYNC);
export const HEALTH_WORDS = Object.keys(HEALTH);

/** Words that are not known are shown as they are, and as unknown. */
export const syncTone = (word: string): Tone => SYNC[word] ?? 'idle';
export const healthTone = (word: string): Tone => HEALTH[word] ?? 'idle';

/** `namespace/name`. */
export const keyOf = (app: Pick<ApplicationView, 'namespace' | 'name'>): string =>
  `${app.namespace}/${app.name}`;

/** Its cluster was heard once and is not any more: what is known is from before. */
export function isSilent(app: ApplicationView): boolean {
  return app.clusterState?.silentSince !== undefined;
}

/** The one tone of an Application: its worst of sync, health, operation and conditions. */
export function toneOf(app: ApplicationView): Tone {
  if (isSilent(app)) return 'idle';
  // That its turn has not come is not a thing to act on.
  const differs = app.sync === 'OutOfSync' && isUnderWay(app.rollout);
  const tones = [differs ? 'busy' : syncTone(app.sync), healthTone(app.health)];
  if (app.rollout?.state === 'failed' || app.rollout?.state === 'restore-failed') tones.push('bad');
  if (app.operation && ['Failed', 'Error'].includes(app.operation.phase)) tones.push('bad');
  if (app.conditions.some((one) => isError(one.type))) tones.push('bad');
  else if (app.leaving?.held) tones.push('warn');
  // Out of sync while it is being applied is not a thing to act on.
  if (app.operation?.phase === 'Running' && !tones.includes('bad')) return 'busy';
  return worst(tones);
}

/** Conditions that say something failed, by Argo CD's convention of their names. */
export function isError(type: string): boolean {
  return /Error|Invalid|Refused|Failed/.test(type);
}

export function worst(tones: readonly Tone[]): Tone {
  return URGENCY.find((tone) => tones.includes(tone)) ?? 'good';
}

/** Whether somebody should look: anything but fine or on its way. */
export function needsAttention(app: ApplicationView): boolean {
  return !['good', 'busy'].includes(toneOf(app));
}

/** The most urgent of several; the first of equals. */
export function mostUrgent(apps: readonly ApplicationView[]): ApplicationView | undefined {
  let found: ApplicationView | undefined;
  let rank = URGENCY.length;
  for (const app of apps) {
    const own = URGENCY.indexOf(toneOf(app));
    if (own < rank) [found, rank] = [app, own];
  }
  return found;
}

/** What is assigned of each source, as it is shown in one line. */
export function shownRevision({ revision, sources }: ApplicationView): string {
  if (!revision) return '';
  return (sources?.flatMap(({ commit }) => commit ?? []) ?? [revision.commit]).map(shortCommit).join(', ');
}

export { shortCommit };
