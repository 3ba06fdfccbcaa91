import { MusterError, canonicalJson, sha256 } from '@muster/base';
import {
  ANNOTATION,
  type KubeObject,
  annotationList,
  annotationOf,
  hooksOf,
  parseApiVersion,
} from '@muster/kube';
import { asStored } from '../applications/application-records.service.ts';
import { type HubObject, DEFAULT_NAMESPACE, checkDocument } from '../applications/documents.ts';
import { storedSet } from '../applicationsets/set-manifests.ts';
import { CHILD_GROUP, type ChildName, childKey, isChildKind } from './child.ts';

/** A document of a root that may be applied. */
export interface Child extends ChildName {
  /** The project that it belongs to, or that it is; '' for a set whose template chooses. */
  project: string;
  wave: number;
  /** Of what is stored of it: equal to that of the stored one means nothing to do. */
  hash: string;
  /** Its sync options, such as `Prune=false`. */
  options: string[];
  document: HubObject;
}

/** A document that cannot be applied, and why. */
export interface BadDocument {
  kind: string;
  namespace: string;
  name: string;
  message: string;
}

export interface ChildDocuments {
  children: Child[];
  bad: BadDocument[];
  /** What is no child: it belongs on a cluster. */
  others: KubeObject[];
}

/** Reads the children from what a root was rendered to. `namespace`: for those that name none. */
export function childDocuments(objects: readonly KubeObject[], namespace: string): ChildDocuments {
  const found: ChildDocuments = { children: [], bad: [], others: [] };
  const seen = new Set<string>();
  for (const object of objects) {
    const { group } = parseApiVersion(object.apiVersion);
    if (group !== CHILD_GROUP || !isChildKind(object.kind)) {
      found.others.push(object);
      continue;
    }
    try {
      const child = readChild(object, namespace || DEFAULT_NAMESPACE);
      if (seen.has(childKey(child))) throw new MusterError('invalid', 'is given twice');
      seen.add(childKey(child));
      found.children.push(child);
    } catch (thrown) {
      const { kind, metadata } = object;
      found.bad.push({
        kind,
        namespace: kind === 'AppProject' ? '' : (metadata.namespace ?? (namespace || DEFAULT_NAMESPACE)),
        name: metadata.name ?? '',
        message: MusterError.from(thrown).message,
      });
    }
  }
  return found;
}

function readChild(object: KubeObject, namespace: string): Child {
  const hook = hooksOf(object);
  if (hook)
    throw new MusterError('unsupported', `${hook.annotation}: hooks cannot be applied to the hub`, {
      hint: 'take the annotation away',
    });
  const document = checkDocument(object as unknown as Record<string, unknown>, object.kind, namespace);
  const wave = Number(annotationOf(object, ANNOTATION.syncWave) ?? 0);
  return {
    kind: document.kind,
    namespace: document.kind === 'AppProject' ? '' : document.namespace,
    name: document.name,
    project: projectOf(document),
    wave: Number.isSafeInteger(wave) ? wave : 0,
    hash: hashOf(document),
    options: annotationList(object, ANNOTATION.syncOptions),
    document,
  };
}

function projectOf(document: HubObject): string {
  if (document.kind === 'AppProject') return document.name;
  if (document.kind === 'ApplicationSet') return document.checked.project;
  return document.application.spec.project || 'default';
}

function hashOf(document: HubObject): string {
  switch (document.kind) {
    case 'AppProject':
      return projectHash(document.manifest);
    case 'ApplicationSet':
      return storedSet(document.checked.set, document.namespace).hash;
    case 'Application':
      return asStored(document.application, document.namespace).hash;
  }
}

/** Of an AppProject as it is kept. */
export function projectHash(manifest: Record<string, unknown>): string {
  const { status: _status, ...kept } = manifest;
  return sha256(canonicalJson(kept));
}
