import type { MusterError } from '@muster/base';
import type { SetCondition } from '../store/schema.ts';

const MAX_SHOWN = 10;
const GENERATED = 'Successfully generated parameters for all Applications';

/** The conditions of a set, as Argo CD shows them, after an expansion; times change only when the rest does. */
export function mergeSetConditions(
  before: readonly SetCondition[],
  failure: MusterError | undefined,
  problems: readonly string[],
  now: Date,
): { conditions: SetCondition[]; changed: boolean } {
  const isOk = !failure && problems.length === 0;
  const reason = failure
    ? ((failure as { reason?: string }).reason ?? 'ApplicationGenerationFromParamsError')
    : isOk
      ? 'ApplicationSetUpToDate'
      : 'ApplicationValidationError';
  const shown =
    problems.slice(0, MAX_SHOWN).join('; ') +
    (problems.length > MAX_SHOWN ? `; and ${problems.length - MAX_SHOWN} more` : '');
  const message = failure
    ? `${failure.describe()}: all Applications stay as they are`
    : isOk
      ? GENERATED
      : shown;
  const wanted: Omit<SetCondition, 'lastTransitionTime'>[] = [
    { type: 'ErrorOccurred', status: isOk ? 'False' : 'True', reason, message },
    {
      type: 'ParametersGenerated',
      status: failure ? 'False' : 'True',
      reason: failure ? 'ErrorOccurred' : 'ParametersGenerated',
      message: failure ? message : GENERATED,
    },
    {
      type: 'ResourcesUpToDate',
      status: isOk ? 'True' : 'False',
      reason,
      message: isOk ? 'ApplicationSet up to date' : message,
    },
  ];
  let changed = wanted.length !== before.length;
  const conditions = wanted.map((condition) => {
    const old = before.find((one) => one.type === condition.type);
    if (
      old &&
      old.status === condition.status &&
      old.message === condition.message &&
      old.reason === condition.reason
    )
      return old;
    changed = true;
    return { ...condition, lastTransitionTime: now.toISOString() };
  });
  return { conditions, changed };
}
