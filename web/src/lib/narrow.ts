import { useSyncExternalStore } from 'react';

/** The same width as Tailwind's `sm`. */
const query = window.matchMedia('(max-width: 639px)');

function subscribe(reader: () => void): () => void {
  query.addEventListener('change', reader);
  return () => query.removeEventListener('change', reader);
}

/** Whether the page is as narrow as a phone: tables become lists of what they hold. */
export function useNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => query.matches);
}
