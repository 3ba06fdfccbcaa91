import { MusterError } from '@muster/base';
import {
  type Labels,
  POLICY_ANNOTATION,
  type PolicyChoice,
  type RolloutPolicy,
  choosePolicy,
  parseRolloutPolicy,
} from '@muster/rollout';

interface Broken {
  name: string;
  selects: boolean;
  message: string;
}

/**
 * The policy of an ApplicationSet or an Application among those that are stored. A stored one that cannot be read any more
 * holds back only what names it, and sets that it might select. Labels select sets; an Application names its own.
 */
export function policyOf(
  kind: 'set' | 'application',
  owner: { annotations: Labels; labels: Labels; strategy?: unknown },
  stored: readonly { name: string; manifest: Record<string, unknown> }[],
): PolicyChoice {
  const readable: RolloutPolicy[] = [];
  const broken: Broken[] = [];
  for (const { name, manifest } of stored) {
    try {
      const policy = parseRolloutPolicy(manifest, `RolloutPolicy ${name}`);
      readable.push(kind === 'set' ? policy : { ...policy, applicationSets: null });
    } catch (thrown) {
      const { spec } = manifest as { spec?: { applicationSets?: unknown } };
      const selects = kind === 'set' && spec?.applicationSets != null;
      broken.push({ name, selects, message: MusterError.from(thrown).describe() });
    }
  }
  const named = owner.annotations[POLICY_ANNOTATION];
  const its = broken.find(({ name }) => name === named);
  if (its) return { kind: 'problem', message: its.message };
  try {
    const choice = choosePolicy(owner, readable);
    const maybe = broken.find(({ selects }) => selects);
    return choice.kind === 'none' && maybe ? { kind: 'problem', message: maybe.message } : choice;
  } catch (thrown) {
    return { kind: 'problem', message: MusterError.from(thrown).describe() };
  }
}
