import { compareVersions, versionText } from '@muster/link';
import type { Version } from '@muster/proto';

/** What a hub that heard of a version does. */
export type Hearing = { kind: 'known' } | { kind: 'recover'; reason: string };

/** A version that this hub has never signed was signed before its database was lost or set back. */
export function judgeHeard(heard: Version, own: Version, clusterName: string): Hearing {
  if (compareVersions(heard, own) <= 0) return { kind: 'known' };
  const reason =
    `cluster ${clusterName} has verified version ${versionText(heard)}, and this hub has signed nothing newer than ` +
    `${versionText(own)}: its database is older than what it once assigned`;
  return { kind: 'recover', reason };
}

/** The epoch after recovery: above the hub's own and above the highest that any agent presented. */
export function epochAfterRecovery(own: bigint, heard: bigint): bigint {
  return (own > heard ? own : heard) + 1n;
}
