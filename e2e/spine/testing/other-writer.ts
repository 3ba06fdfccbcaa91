/**
 * A controller that wants something else: applies a manifest with force as its own field manager, again and again, until
 * it is ended. Started as a process: KUBECONFIG, the manager's name and the manifest (JSON) are its arguments.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeClient, type KubeObject } from '../../src/kube.ts';

const [kubeconfig, fieldManager, manifest] = process.argv.slice(2) as [string, string, string];
const kube = KubeClient.fromKubeconfig(kubeconfig);
const object = JSON.parse(manifest) as KubeObject;
const name = `${object.metadata.namespace}/${object.metadata.name}`;

for (;;) {
  const live = await kube.find(`${object.apiVersion}/${object.kind}`, name);
  const differs = Object.entries(object.data).some(([key, value]) => live?.data?.[key] !== value);
  if (live && differs) await kube.apply(object, { fieldManager, force: true });
  await sleep(100);
}
