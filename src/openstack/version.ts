const VERSION = /^v\d+(\.\d+)?$/;

/**
 * The URL with this version at its end. One that ends with a version has that changed, unless it is of the same major.
 */
export function withVersion(url: string, version: string): string {
  const cut = url.lastIndexOf('/');
  const last = url.slice(cut + 1);
  if (!VERSION.test(last)) return `${url}/${version}`;
  return majorOf(last) === majorOf(version) ? url : `${url.slice(0, cut)}/${version}`;
}

function majorOf(version: string): string {
  return version.replace(/\..*/, '');
}
