import type { SyncWindow } from '@muster/kube';
import { payloadSha256 } from '@muster/link';
import { Inject, Injectable } from '@nestjs/common';
import { Keys } from '../keys/keys.ts';
import { ProjectWindows } from '../projects/project-windows.service.ts';
import { type ReleasedTarget, type TargetIds, keyOfTarget } from '../releases/targets.ts';
import type { Trx } from '../store/schema.ts';
import { accountKey, applyPayload, tombstonePayload, windowsDigest } from './assignment-content.ts';
import type { Signing } from './assignment-plan.ts';
import { AssignmentsRepository, type NewAssignment } from './assignments.repository.ts';

/** The sync windows of targets. */
export interface WindowsOf {
  of(target: TargetIds): Windows;
}

interface Windows {
  windows: readonly SyncWindow[];
  /** '' where there are none. */
  digest: string;
}

const NO_WINDOWS: Windows = { windows: [], digest: '' };

/** Makes rows of what is to be assigned, signed with the windows that hold now. */
@Injectable()
export class AssignmentSigner {
  constructor(
    @Inject(AssignmentsRepository) private readonly repository: AssignmentsRepository,
    @Inject(ProjectWindows) private readonly projects: ProjectWindows,
    @Inject(Keys) private readonly keys: Keys,
  ) {}

  /** The windows to sign targets with. */
  async windows(trx: Trx, targets: readonly TargetIds[]): Promise<WindowsOf> {
    const found = new Map<string, Windows>();
    for (const [key, windows] of await this.projects.of(trx, targets))
      found.set(key, { windows, digest: windowsDigest(windows) });
    return { of: (target) => found.get(keyOfTarget(target)) ?? NO_WINDOWS };
  }

  /** Signs what was planned, each at a generation of its own. */
  async sign(
    trx: Trx,
    signings: readonly Signing<ReleasedTarget>[],
    { epoch, windows }: { epoch: bigint; windows: WindowsOf },
  ): Promise<NewAssignment[]> {
    const digests = signings.flatMap((signing) => (signing.kind === 'apply' ? [signing.digest] : []));
    const contents = await this.repository.contents(trx, digests);
    const leaving = signings.flatMap(({ kind, target }) => (kind === 'tombstone' ? [target] : []));
    const accounts = await this.repository.accounts(trx, leaving);
    const generations = await this.repository.generations(trx, signings.length);
    return signings.map((signing, i) => {
      const { target } = signing;
      const generation = generations[i]!;
      const header = {
        hubId: this.keys.hubId,
        clusterId: target.clusterId,
        epoch,
        generation,
        releaseId: target.releaseId ?? '',
        revision: target.commit ?? '',
        despiteWindows: target.despiteWindows,
      };
      const apply = signing.kind === 'apply';
      const held = windows.of(target);
      const payload = apply
        ? applyPayload(contents.get(signing.digest)!, { ...header, windows: held.windows })
        : tombstonePayload(
            target,
            signing.action,
            header,
            target.approvedAt,
            accounts.get(accountKey(target)),
          );
      const signed = this.keys.sign('muster.assignment.v1', payload, 'assignment');
      return {
        cluster_id: target.clusterId,
        application_namespace: target.namespace,
        application_name: target.name,
        application_id: target.applicationId,
        epoch,
        generation,
        action: apply ? 'apply' : signing.action,
        payload: Buffer.from(signed.payload),
        signature: Buffer.from(signed.signature),
        key_id: signed.keyId,
        payload_sha256: payloadSha256(signed),
        assignment_digest: apply ? signing.digest : null,
        windows_digest: apply ? held.digest : '',
        bundle_digest: apply ? target.bundleDigest : null,
        release_id: target.releaseId,
      };
    });
  }
}
