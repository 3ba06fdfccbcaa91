import type { Target } from '@muster/rollout';
import type { Circle } from './circle-search.ts';

const MAX_CAUSES = 10;
const MAX_EXAMPLES = 20;

/** That targets wait in a circle, in words. */
export function circleText({ text }: Pick<Circle, 'text'>): string {
  return `it is a circle, which never ends by itself: ${text}`;
}

/** What has to be taken away, at least one of it. */
export function circleEnds({ causes }: Pick<Circle, 'causes'>): string {
  return `one of these is taken away: ${causes.slice(0, MAX_CAUSES).join(', ')}`;
}

/** Targets that dependencies hold back, one for each reason: what they wait for may wait for itself. */
export function heldExamples(
  targets: Iterable<Pick<Target, 'id' | 'state' | 'blocked'>>,
): { namespace: string; name: string }[] {
  const byReason = new Map<string, string>();
  for (const { id, state, blocked } of targets) {
    if (blocked?.by !== 'dependency' || (state !== 'waiting' && state !== 'deferred')) continue;
    if (!byReason.has(blocked.reason)) byReason.set(blocked.reason, id);
    if (byReason.size === MAX_EXAMPLES) break;
  }
  return [...byReason.values()].map(nameOfTarget);
}

/** Of `namespace/name@cluster`. */
export function nameOfTarget(id: string): { namespace: string; name: string } {
  const [namespace = '', name = ''] = id.split('@')[0]!.split('/');
  return { namespace, name };
}
