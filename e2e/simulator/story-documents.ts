import type { Story } from './story.ts';

/** What the set of a story deploys: another `value` is another release. */
export function configMap(name: string, value: number): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  value: "${value}"\n`;
}

export function policyOf({ name, policy: spec }: Story) {
  return { apiVersion: 'muster.dev/v1alpha1', kind: 'RolloutPolicy', metadata: { name }, spec };
}

/** A set over the clusters of a story, with an Application named as its cluster; under its policy, or under none yet. */
export function setOf({ name }: Story, repoURL: string, isRolledOut: boolean) {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: {
      name,
      namespace: 'argocd',
      annotations: isRolledOut ? { 'muster.dev/rollout-policy': name } : {},
    },
    spec: {
      generators: [{ clusters: { selector: { matchLabels: { story: name } } } }],
      template: {
        metadata: { name: '{{name}}' },
        spec: {
          project: 'default',
          source: { repoURL, path: name, targetRevision: 'main' },
          destination: { name: '{{name}}', namespace: name },
          syncPolicy: { automated: { prune: true, selfHeal: true } },
        },
      },
    },
  };
}
