import type { Version } from '@muster/proto/records';

export const ZERO: Version = { epoch: 0n, generation: 0n };

/** Orders by epoch, then generation: negative when `a` is older. */
export function compareVersions(a: Version, b: Version): number {
  if (a.epoch !== b.epoch) return a.epoch < b.epoch ? -1 : 1;
  if (a.generation !== b.generation) return a.generation < b.generation ? -1 : 1;
  return 0;
}

export function newest(a: Version, b: Version): Version {
  return compareVersions(a, b) >= 0 ? a : b;
}

export function versionText(version: Version): string {
  return `${version.epoch}.${version.generation}`;
}

/** `namespace/name`: what an Application is called on the wire. */
export function applicationKey(of: { applicationNamespace: string; applicationName: string }): string {
  return `${of.applicationNamespace}/${of.applicationName}`;
}
