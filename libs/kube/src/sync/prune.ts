import { ANNOTATION } from '../annotations.ts';
import { annotationList, type KubeObject } from '../object.ts';

/** `keep` says why in words that can be shown. */
export type RemovalDecision =
  | { action: 'remove' }
  | { action: 'confirm' }
  | { action: 'keep'; reason: string };

/** The value of an option such as `Prune` in `argocd.argoproj.io/sync-options` (`Prune=false`); the first one counts. */
export function syncOption(object: KubeObject, option: string): string | undefined {
  const prefix = `${option}=`;
  return annotationList(object, ANNOTATION.syncOptions)
    .find((item) => item.startsWith(prefix))
    ?.slice(prefix.length);
}

/** Whether an object that left Git may be pruned. `prune`: the sync's; `defaultPrune`: the Application's `Prune=` option. */
export function pruneDecision(
  live: KubeObject,
  options: { prune: boolean; defaultPrune?: string; confirmed?: boolean },
): RemovalDecision {
  if (!options.prune) return { action: 'keep', reason: 'pruning is off' };
  const value = syncOption(live, 'Prune') ?? options.defaultPrune;
  if (value === 'false') return { action: 'keep', reason: 'the object says Prune=false' };
  if (value === 'confirm' && !options.confirmed) return { action: 'confirm' };
  return { action: 'remove' };
}

/** Whether an object goes when its Application is uninstalled. `defaultDelete`: the Application's `Delete=` option. */
export function deleteDecision(
  live: KubeObject,
  options: { defaultDelete?: string; confirmed?: boolean } = {},
): RemovalDecision {
  if (annotationList(live, ANNOTATION.helmResourcePolicy).includes('keep')) {
    return { action: 'keep', reason: 'helm.sh/resource-policy is keep' };
  }
  const value = syncOption(live, 'Delete') ?? options.defaultDelete;
  if (value === 'false') return { action: 'keep', reason: 'the object says Delete=false' };
  if (value === 'confirm' && !options.confirmed) return { action: 'confirm' };
  return { action: 'remove' };
}
