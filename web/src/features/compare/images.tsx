import type { ImageChange } from '@muster/api';
import { nameOfObject } from '@muster/api/markdown';

/** Images of workloads that are not the same on both sides. */
export function Images({ images, more }: { images: readonly ImageChange[]; more: number }) {
  if (images.length === 0) return null;
  return (
    <section aria-label="Images" className="px-4 pt-4">
      <h3 className="mb-1.5 text-xs font-semibold text-muted">Images</h3>
      <ul className="space-y-1">
        {images.map((image) => {
          const { container, init, before, after, targets } = image;
          return (
            <li
              key={`${nameOfObject(image)} ${container} ${before} ${after}`}
              className="grid gap-x-3 md:grid-cols-[minmax(200px,1fr)_2fr]"
            >
              <span className="min-w-0 break-words">
                {nameOfObject(image)}{' '}
                <span className="text-muted">
                  {container}
                  {init && ' (init)'}
                  {targets > 1 && `, in ${targets} targets`}
                </span>
              </span>
              <span className="min-w-0 font-mono text-xs break-all">
                <span className="text-bad">{before ?? 'none'}</span> <span aria-label="becomes">→</span>{' '}
                <span className="text-good">{after ?? 'none'}</span>
              </span>
            </li>
          );
        })}
      </ul>
      {more > 0 && <p className="mt-1 text-muted">… and {more} more.</p>}
    </section>
  );
}
