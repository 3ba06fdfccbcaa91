import { field, type GroupRules, ready, rule, when } from '../rules.ts';

const waiting = 'Waiting for Sealed Secret to be decrypted';

export const rules: GroupRules = {
  SealedSecret: rule(
    when(
      (o) =>
        field(o, 'metadata.generation') === undefined ||
        field(o, 'status.observedGeneration') !== o.metadata.generation,
      `Progressing: ${waiting}`,
    ),
    ready(waiting, 'Synced'),
  ),
};
