import { afterAll, expect, it } from 'vitest';
import { formatPath, diffObjects } from './diff.ts';
import { ruleForField } from './drift-rule.ts';
import { withoutIgnored } from './ignore.ts';
import { Jq } from './jq/jq.ts';
import { keyOf, type KubeObject } from './object.ts';

const jq = new Jq();
afterAll(() => jq.close());

const deployment = (image: string, port: number, note: string): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'prod', annotations: { 'example.org/note': note } },
  spec: {
    replicas: port,
    template: {
      spec: {
        containers: [
          { name: 'side', image: 'same' },
          { name: 'main', image, ports: [{ containerPort: 80, protocol: 'TCP', hostPort: port }] },
        ],
      },
    },
  },
});

it('writes the rule that ignores just the field that differs, for every way that differences are shown', async () => {
  const [should, is] = [deployment('a', 1, 'x'), deployment('b', 2, 'y')];
  const changes = diffObjects(should, is);
  expect(changes.map(({ path }) => path)).toEqual([
    'metadata.annotations["example.org/note"]',
    'spec.replicas',
    'spec.template.spec.containers[name=main].image',
    'spec.template.spec.containers[name=main].ports[containerPort=80,protocol=TCP].hostPort',
  ]);
  for (const { path } of changes) {
    const rule = ruleForField(keyOf(is), path);
    const rest = await withoutIgnored(should, is, [rule], { jq });
    expect(rest.problems).toEqual([]);
    const left = diffObjects(rest.should, rest.is).map((each) => formatPath(each.steps));
    expect(left).toEqual(changes.map((each) => each.path).filter((each) => each !== path));
  }
});

it('refuses what is no path', () => {
  const key = { group: '', kind: 'ConfigMap', namespace: 'n', name: 'a' };
  for (const path of ['', 'a[', 'a b', '[["']) expect(() => ruleForField(key, path)).toThrow();
  expect(ruleForField(key, 'data.a')).toEqual({
    group: '',
    kind: 'ConfigMap',
    name: 'a',
    namespace: 'n',
    jsonPointers: ['/data/a'],
  });
});
