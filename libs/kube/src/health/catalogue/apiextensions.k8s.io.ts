import { conditions, type GroupRules, has, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  CustomResourceDefinition: rule(
    when((o) => o.metadata.deletionTimestamp, 'Progressing: CRD is terminating'),
    // A definition without any status is an error, as in the reference.
    when((o) => !o.status.conditions?.length, 'Progressing: Status conditions not found'),
    conditions({
      'Terminating=True': 'Progressing: CRD is terminating: {.message}',
      'NamesAccepted=False': 'Degraded: CRD names have not been accepted: {.message}',
      'NonStructuralSchema=True': 'Degraded: Schema violations found: {.message}',
      'Established!=True/Installing': 'Progressing: CRD is being installed',
    }),
    when((o) => has(o, 'Established'), 'Healthy: CRD is healthy'),
    conditions({ 'Established=False/InvalidCABundle': 'Degraded: CRD is not established: {.message}' }),
    'Progressing: CRD is not established',
  ),
};
