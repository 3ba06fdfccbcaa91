import type { ResourceView } from '@muster/api';
import { useMemo, useState } from 'react';
import { CopyButton } from '../../ui/notice.tsx';
import { Segment, Segments } from '../../ui/segments.tsx';
import { MASK } from './masked.ts';
import { yamlText } from './yaml-text.ts';

/** Longer manifests lose their end in the page. */
const SHOWN = 400_000;

/** The object as it is in the cluster, or as Git says. */
export function ManifestTab({ view: { live, desired } }: { view: ResourceView }) {
  const [wish, setWish] = useState<'live' | 'desired'>('live');
  const shown = live && desired ? wish : live ? 'live' : 'desired';
  const object = shown === 'live' ? live : desired;
  const text = useMemo(() => yamlText(object ?? {}), [object]);
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex flex-wrap items-center gap-3 px-4 py-2">
        {live && desired ? (
          <Segments label="Which manifest">
            <Segment active={shown === 'live'} onClick={() => setWish('live')}>
              Live
            </Segment>
            <Segment active={shown === 'desired'} onClick={() => setWish('desired')}>
              As Git says
            </Segment>
          </Segments>
        ) : (
          <span className="text-muted">
            {live ? 'As it is in the cluster.' : 'As Git says; it is not in the cluster.'}
          </span>
        )}
        <span className="flex-1" />
        {text.includes(MASK) && <span className="text-muted">Values of Secrets stay in the cluster.</span>}
        <CopyButton text={text} label="Copy the manifest" />
      </div>
      <pre
        tabIndex={0}
        aria-label="Manifest"
        className="min-h-0 flex-1 overflow-auto px-4 pb-4 font-mono text-xs leading-5"
      >
        {text.slice(0, SHOWN)}
      </pre>
      {text.length > SHOWN && <p className="px-4 py-1 text-warn">It is longer; copying takes all of it.</p>}
    </div>
  );
}
