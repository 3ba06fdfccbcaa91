import { field, type GroupRules, listOf, rule, when } from '../rules.ts';

export const rules: GroupRules = {
  SolrCloud: rule(
    when((o) => !field(o, 'status.solrNodes'), 'Progressing: Waiting for solr to exist'),
    when(
      (o) => listOf(o, 'status.solrNodes').some((node) => !node.ready),
      'Progressing: Not all replicas are ready',
    ),
    'Healthy: Solr is ready',
  ),
};
