import { type KubeObject, describeKey, keyOf, keyString } from '../object.ts';
import { syncOption } from './prune.ts';

/** What the guards of a prune look at, besides the objects. */
export interface GuardFacts {
  /** Objects that the Application has in the cluster. */
  owned: number;
  /** Objects that its release names. */
  wanted: number;
  allowEmpty: boolean;
  /** The Application's options: `Prune=confirm`, `PruneData=true`. */
  option(name: 'Prune' | 'PruneData'): string | undefined;
  /** Whether someone has confirmed that this very object goes. */
  confirmed(object: KubeObject): boolean;
  /** What an object holds that would be lost with it, in words; undefined: nothing. */
  holds(object: KubeObject): string | undefined;
}

/** An object that stays until someone confirms, and why, in words to show. */
export interface HeldPrune {
  object: KubeObject;
  reason: string;
}

export interface GuardedPrunes {
  prune: KubeObject[];
  held: HeldPrune[];
}

/**
 * Which prunes of a plan are held back. What is confirmed goes. Pure; comes after the reference's plan.
 */
export function guardPrunes(prunes: readonly KubeObject[], facts: GuardFacts): GuardedPrunes {
  const guarded: GuardedPrunes = { prune: [], held: [] };
  const all = reasonForAll(prunes, facts);
  for (const object of prunes) {
    const reason = facts.confirmed(object) ? undefined : (reasonFor(object, facts) ?? all);
    if (reason) guarded.held.push({ object, reason });
    else guarded.prune.push(object);
  }
  return guarded;
}

/** Why the prunes as a whole need a confirmation: a mistake in Git looks like this. */
function reasonForAll(prunes: readonly KubeObject[], facts: GuardFacts): string | undefined {
  if (facts.allowEmpty) return undefined;
  if (facts.wanted === 0) return 'the release is empty: allowEmpty or a confirmation lets it go';
  const going = prunes.filter((object) => !facts.confirmed(object)).length;
  // One object that gives way to another, such as a ConfigMap with a hash in its name, is everyday.
  if (going <= 1 || going * 2 <= facts.owned) return undefined;
  return `${going} of ${facts.owned} objects would go, more than half: allowEmpty or a confirmation lets them`;
}

function reasonFor(object: KubeObject, facts: GuardFacts): string | undefined {
  const prune = syncOption(object, 'Prune') ?? facts.option('Prune');
  if (prune === 'confirm') return 'Prune=confirm: waits for a confirmation';
  if ((syncOption(object, 'PruneData') ?? facts.option('PruneData')) === 'true') return undefined;
  const held = facts.holds(object);
  return held && `${held}: PruneData=true or a confirmation lets it go`;
}

/** Whether only a look at the cluster tells what an object holds. */
export function mayHoldData(object: KubeObject): 'claim' | 'namespace' | 'definition' | undefined {
  const { group, kind } = keyOf(object);
  if (group === '' && kind === 'PersistentVolumeClaim') return 'claim';
  if (group === '' && kind === 'Namespace') return 'namespace';
  return group === 'apiextensions.k8s.io' && kind === 'CustomResourceDefinition' ? 'definition' : undefined;
}

/**
 * What a claim, a Namespace or a CustomResourceDefinition holds, in words; undefined: nothing, or it is another kind.
 *
 * @param others Objects in the Namespace, or of the defined kind, whether they go in the same sync or not.
 * @param going Keys of what goes in the same sync.
 */
export function heldData(
  object: KubeObject,
  others: readonly KubeObject[],
  going: ReadonlySet<string>,
): string | undefined {
  const what = mayHoldData(object);
  if (what === 'claim') return claimHolds(object);
  if (!what) return undefined;
  const staying = others.filter((each) => !isOfTheCluster(each) && !going.has(keyString(keyOf(each))));
  if (staying.length === 0) return undefined;
  const first = describeKey(keyOf(staying[0]!));
  const more = staying.length > 1 ? ` and ${staying.length === 2 ? 'another object' : 'others'}` : '';
  return what === 'namespace' ? `it holds ${first}${more}` : `${first}${more} would go with it`;
}

function claimHolds(claim: KubeObject): string | undefined {
  const { phase } = (claim['status'] ?? {}) as { phase?: string };
  const { volumeName } = (claim['spec'] ?? {}) as { volumeName?: string };
  if (phase !== 'Bound' && !volumeName) return undefined;
  return `it holds data${volumeName ? ` (volume ${volumeName})` : ''}`;
}

/** What every Namespace has. */
function isOfTheCluster(object: KubeObject): boolean {
  const { group, kind, name } = keyOf(object);
  if (group === '' && kind === 'ConfigMap') return name === 'kube-root-ca.crt';
  if (group === '' && kind === 'ServiceAccount') return name === 'default';
  return kind === 'Event' && (group === '' || group === 'events.k8s.io');
}
