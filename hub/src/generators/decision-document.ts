import { pluralOf } from '@muster/appset';
import { canonicalJson, type JsonObject, MusterError, sha256 } from '@muster/base';
import { z } from 'zod';

const MAX_BYTES = 1024 * 1024;
/** Where the reference looks; resources elsewhere would never be read. */
const NAMESPACE = 'argocd';

const name = z.string().min(1).max(253);
const metadata = z.looseObject({
  name,
  namespace: z
    .literal(NAMESPACE, { error: `only resources of the namespace ${NAMESPACE} are read` })
    .optional(),
  labels: z.record(z.string(), z.string()).nullish(),
});
const ConfigMap = z.looseObject({
  kind: z.literal('ConfigMap'),
  metadata,
  data: z.record(z.string(), z.string()),
});
const Resource = z.looseObject({
  apiVersion: z
    .string()
    .max(253)
    .regex(/^[^/]+\/[^/]+$/, 'must be GROUP/VERSION'),
  kind: name,
  metadata,
  status: z.unknown(),
});

/** What is kept of a ConfigMap or a resource: what the generator reads. */
export interface DecisionDocument {
  apiVersion: string;
  /** The plural in lower case, as the ConfigMap names it. */
  resource: string;
  name: string;
  kind: string;
  content: JsonObject;
  hash: string;
}

/** Checks a document. @throws MusterError `invalid` that names it and the field. */
export function checkDecisionDocument(written: Record<string, unknown>, where: string): DecisionDocument {
  const isConfigMap = written['apiVersion'] === 'v1' && written['kind'] === 'ConfigMap';
  const read = isConfigMap ? ConfigMap.safeParse(written) : Resource.safeParse(written);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new MusterError('invalid', `${issue?.path.join('.') || 'the document'}: ${issue?.message}`, {
      where,
    });
  }
  const { metadata: meta, kind } = read.data;
  const content = (isConfigMap
    ? { data: checkedData(read.data['data'] as Record<string, string>, where) }
    : {
        metadata: { name: meta.name, labels: meta.labels ?? {} },
        ...(written['status'] === undefined ? {} : { status: written['status'] }),
      }) as unknown as JsonObject;
  const text = canonicalJson(content);
  if (Buffer.byteLength(text) > MAX_BYTES) throw new MusterError('limit', 'is larger than 1 MiB', { where });
  return {
    apiVersion: String(written['apiVersion']),
    resource: isConfigMap ? 'configmaps' : pluralOf(kind),
    name: meta.name,
    kind,
    content,
    hash: sha256(text),
  };
}

function checkedData(data: Record<string, string>, where: string): Record<string, string> {
  if (data['apiVersion'] && data['kind']) return data;
  throw new MusterError(
    'invalid',
    'data names no apiVersion and kind: this is no ConfigMap of clusterDecisionResource',
    {
      where,
      ...(data['baseUrl']
        ? { hint: 'the plugin that it describes is registered with `muster plugin add`' }
        : {}),
    },
  );
}
