/** Light, dark, or as the system has it; what the reader chose is remembered. */
import { byId } from './dom.ts';

const KEY = 'ceilometer.theme';

/** `changed` is called whenever the colours are others. */
export function followTheme(changed: () => void): void {
  const choices = byId<HTMLFieldSetElement>('theme');
  const radios = [...choices.querySelectorAll('input')];
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = remembered(KEY) ?? 'auto';
  const apply = () => {
    document.documentElement.dataset['theme'] = chosen === 'auto' ? (system.matches ? 'dark' : 'light') : chosen;
    changed();
  };
  for (const radio of radios) {
    radio.checked = radio.value === chosen;
    radio.addEventListener('change', () => {
      chosen = radio.value;
      remember(KEY, chosen);
      apply();
    });
  }
  system.addEventListener('change', apply);
  apply();
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
