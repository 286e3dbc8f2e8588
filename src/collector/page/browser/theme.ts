/** Light, dark, or as the system has it; what the reader chose is remembered. */
import { byId } from './dom.ts';

const KEY = 'ceilometer.theme';

/** `changed` is called whenever the colours are others. */
export function followTheme(changed: () => void): void {
  const choices = byId<HTMLFieldSetElement>('theme');
  const radios = [...choices.querySelectorAll('input')];
  const apply = (theme: string) => {
    document.documentElement.dataset['theme'] = theme;
    changed();
  };
  const kept = remembered(KEY);
  for (const radio of radios) {
    radio.checked = radio.value === (kept ?? 'auto');
    radio.addEventListener('change', () => {
      remember(KEY, radio.value);
      apply(radio.value);
    });
  }
  apply(kept ?? 'auto');
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}

/** Browsers may forbid to keep anything. */
export function remembered(key: string, storage: () => Storage = () => localStorage): string | null {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string, storage: () => Storage = () => localStorage): void {
  try {
    storage().setItem(key, value);
  } catch {
    // It counts until the page is loaded anew.
  }
}
