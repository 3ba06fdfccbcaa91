import { isOlder } from '../read.ts';
import {
  conditionOf,
  field,
  type GroupRules,
  health,
  listOf,
  type Loose,
  need,
  rule,
  type Step,
  when,
} from '../rules.ts';

interface Counting {
  /** The Ready status that counts as moving. */
  moving: 'Unknown' | 'False';
  /** Reasons for which Reconciling counts as moving; absent: any. */
  reasons?: string[];
  /** Further condition types that count as success when True. */
  alsoGood?: string[];
  /** How many successes make it Healthy. */
  good: number;
  /** What two moving conditions mean. */
  whenMoving?: 'Progressing' | 'Degraded';
  /** The message also tells that the artifact is outdated. */
  artifacts?: boolean;
  suspendable?: boolean;
}

/**
 * Flux's objects: successes and movements are counted over the conditions. Unlike the reference, conditions of an earlier
 * generation count for nothing, and what is Degraded says why.
 */
const flux = (options: Counting): Step =>
  rule(
    when((o) => options.suspendable !== false && o.spec.suspend === true, 'Suspended: {kind} is suspended'),
    when(
      (o) => isOlder(conditionOf(o, 'Ready')?.observedGeneration, o.metadata.generation),
      'Progressing: The controller has not seen the latest change yet',
    ),
    when(
      (o) => field(o, 'status.conditions'),
      (o) => {
        const { moving, good, message } = count(o, options);
        if (moving === 2) return health(options.whenMoving ?? 'Progressing', message);
        if (good === options.good) return health('Healthy', message);
        const why = conditionOf(o, 'Ready')?.message;
        return health('Degraded', message && why ? `${message}: ${why}` : message);
      },
    ),
    'Progressing: Status unknown',
  );

function count(o: Loose, options: Counting): { moving: number; good: number; message: string | undefined } {
  let [moving, good, message]: [number, number, string | undefined] = [0, 0, ''];
  for (const c of listOf(o, 'status.conditions')) {
    if (c.type === 'Ready') {
      if (c.status === 'True') good++;
      else if (c.status === options.moving) moving++;
      message = c.reason;
    } else if (c.status !== 'True') continue;
    else if (c.type === 'Reconciling') {
      if (!options.reasons || options.reasons.includes(c.reason)) moving++;
    } else if (options.artifacts && c.type === 'ArtifactOutdated') {
      message = `${need(message, 'the reason of Ready')} ${need(c.reason, 'reason')}`;
    } else if (options.alsoGood?.includes(c.type)) good++;
  }
  return { moving, good, message };
}

const source: Counting = { moving: 'Unknown', alsoGood: ['ArtifactInStorage'], good: 2, artifacts: true };

export const helm: GroupRules = {
  HelmRelease: flux({ moving: 'Unknown', alsoGood: ['Released', 'TestSuccess'], good: 2 }),
};
export const image: GroupRules = {
  ImagePolicy: flux({
    moving: 'False',
    reasons: ['NewGeneration', 'AccessingRepository', 'ApplyingPolicy'],
    good: 1,
    suspendable: false,
  }),
  ImageRepository: flux({ moving: 'False', reasons: ['NewGeneration', 'Scanning'], good: 1 }),
  ImageUpdateAutomation: flux({ moving: 'Unknown', good: 1 }),
};
export const kustomize: GroupRules = { Kustomization: flux({ moving: 'Unknown', good: 1 }) };
export const notification: GroupRules = {
  Receiver: flux({ moving: 'False', good: 1, whenMoving: 'Degraded' }),
};
export const sources: GroupRules = {
  Bucket: flux(source),
  GitRepository: flux(source),
  HelmChart: flux(source),
  HelmRepository: rule(
    when((o) => o.spec.suspend === true, 'Suspended: {kind} is suspended'),
    when(
      (o) => o.spec.type === 'oci',
      "Healthy: Helm repositories of type 'oci' do not contain any information in the status.",
    ),
    flux(source),
  ),
  OCIRepository: flux(source),
};
