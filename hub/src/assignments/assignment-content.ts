import { createHash } from 'node:crypto';
import type { Application } from '@muster/appset';
import { canonicalJson } from '@muster/base';
import { ANNOTATION, type IgnoreRule, type SyncWindow, parseAdopt, readRetryPolicy } from '@muster/kube';
import { assignmentDigest } from '@muster/link';
import { Action, Assignment, type HealthCheck, type ProjectLimits, type SyncPolicy } from '@muster/proto';

/** A rendered bundle as an assignment names it. `size`: bytes of the canonical plaintext. */
export interface BundleRef {
  digest: string;
  size: bigint;
}

const NO_SETTINGS = { ignoreDifferences: [], healthChecks: [] };

/** What an Application asks of its cluster: everything of an assignment but hub, cluster, version, release and revision. */
export function applyContent(
  application: Application,
  bundle: BundleRef,
  limits: ProjectLimits,
  notices: readonly string[],
  system: {
    ignoreDifferences: readonly IgnoreRule[];
    healthChecks: readonly HealthCheck[];
    /** `namespace/name` of the ServiceAccount to act as; '': the agent's own. */
    impersonate?: string;
  } = NO_SETTINGS,
): Assignment {
  const { spec, metadata } = application;
  const policy = spec.syncPolicy;
  const automated = policy?.automated != null && policy.automated.enabled !== false;
  const options = [...new Set(policy?.syncOptions ?? [])];
  return Assignment.fromPartial({
    applicationNamespace: metadata.namespace ?? '',
    applicationName: metadata.name,
    action: Action.APPLY,
    bundleDigest: bundle.digest,
    bundleSize: bundle.size,
    destinationNamespace: spec.destination.namespace ?? '',
    syncPolicy: {
      automated,
      prune: automated && policy?.automated?.prune === true,
      selfHeal: automated && policy?.automated?.selfHeal === true,
      allowEmpty: automated && policy?.automated?.allowEmpty === true,
      createNamespace: options.includes('CreateNamespace=true'),
      options,
      managedNamespaceLabels: policy?.managedNamespaceMetadata?.labels ?? {},
      managedNamespaceAnnotations: policy?.managedNamespaceMetadata?.annotations ?? {},
      retry: retryOf(policy?.retry),
    },
    ignoreDifferences: [...((spec.ignoreDifferences ?? []) as IgnoreRule[]), ...system.ignoreDifferences].map(
      (rule) => ({
        group: rule.group ?? '',
        kind: rule.kind,
        name: rule.name ?? '',
        namespace: rule.namespace ?? '',
        jsonPointers: rule.jsonPointers ?? [],
        jqPathExpressions: rule.jqPathExpressions ?? [],
        managedFieldsManagers: rule.managedFieldsManagers ?? [],
      }),
    ),
    project: limits,
    notices: [...notices, ...adoptNotices(metadata.annotations)],
    adopt: parseAdopt(metadata.annotations?.[ANNOTATION.adopt] ?? '') ?? '',
    deletionApprovedMs: approvedAt(metadata.annotations),
    healthChecks: [...system.healthChecks],
    impersonate: system.impersonate ?? '',
  });
}

/** `argocd.argoproj.io/deletion-approved`: a time. What is no time approves nothing. */
function approvedAt(annotations: Record<string, string> | null | undefined): bigint {
  const at = Date.parse(annotations?.[ANNOTATION.deletionApproved] ?? '');
  return Number.isNaN(at) ? 0n : BigInt(at);
}

/** A word that means nothing adopts nothing, and says so. */
function adoptNotices(annotations: Record<string, string> | null | undefined): string[] {
  const written = annotations?.[ANNOTATION.adopt] ?? '';
  if (written === '' || parseAdopt(written)) return [];
  return [
    `${ANNOTATION.adopt}: ${JSON.stringify(written.slice(0, 40))} is none of argocd, flux, helm and any: nothing is adopted`,
  ];
}

/** Undefined where nothing is said, and where an older hub took what cannot be read: the agent then has its own way. */
function retryOf(written: unknown): SyncPolicy['retry'] {
  if (!written) return undefined;
  const policy = readRetryPolicy(written as Parameters<typeof readRetryPolicy>[0]);
  if (typeof policy === 'string') return undefined;
  const { limit, firstMs, factor, longestMs } = policy;
  return { limit, firstMs: BigInt(Math.round(firstMs)), factor, longestMs: BigInt(Math.round(longestMs)) };
}

/** Encoded content and its digest: what a release keeps. */
export function encodeContent(content: Assignment): { digest: string; content: Buffer } {
  return { digest: assignmentDigest(content), content: Buffer.from(Assignment.encode(content).finish()) };
}

/** Everything that makes a content the assignment of one cluster at one version. */
export interface AssignmentHeader {
  hubId: string;
  clusterId: string;
  epoch: bigint;
  generation: bigint;
  releaseId: string;
  revision: string;
  /** It takes a release back: no sync window holds it. */
  despiteWindows?: boolean;
  /** The sync windows of its project that hold for it now, whenever its content was made; none unless told. */
  windows?: readonly SyncWindow[];
}

/** Tells sync windows apart; '' where there are none. */
export function windowsDigest(windows: readonly SyncWindow[]): string {
  if (windows.length === 0) return '';
  return createHash('sha256').update(canonicalJson(windows)).digest('hex');
}

/** Whether an agent syncs to an encoded content by itself. */
export function isAutomated(content: Uint8Array): boolean {
  return Assignment.decode(content).syncPolicy?.automated === true;
}

/** The bytes to sign for an apply. */
export function applyPayload(content: Uint8Array, header: AssignmentHeader): Buffer {
  const { epoch, generation, despiteWindows = false, windows = [], ...names } = header;
  const version = { epoch, generation };
  const read = Assignment.decode(content);
  const project = read.project && { ...read.project, windows: windows.map(writtenWindow) };
  const assignment = { ...read, ...names, version, despiteWindows, project };
  return Buffer.from(Assignment.encode(assignment).finish());
}

function writtenWindow({ durationMs, ...window }: SyncWindow) {
  return { ...window, durationMs: BigInt(Math.round(durationMs)) };
}

/** The bytes to sign for a tombstone; `approvedAt`: what asks before it is deleted may go; `impersonate`: its account. */
export function tombstonePayload(
  application: { namespace: string; name: string },
  action: 'orphan' | 'uninstall',
  header: AssignmentHeader,
  approvedAt: Date | null = null,
  impersonate = '',
): Buffer {
  const { epoch, generation, ...names } = header;
  const assignment = Assignment.fromPartial({
    impersonate,
    ...names,
    version: { epoch, generation },
    applicationNamespace: application.namespace,
    applicationName: application.name,
    action: action === 'orphan' ? Action.ORPHAN : Action.UNINSTALL,
    deletionApprovedMs: BigInt(approvedAt?.getTime() ?? 0),
  });
  return Buffer.from(Assignment.encode(assignment).finish());
}

/** What `AssignmentsRepository.accounts` knows a target by. */
export function accountKey(target: { clusterId: string; namespace: string; name: string }): string {
  return `${target.clusterId} ${target.namespace}/${target.name}`;
}
