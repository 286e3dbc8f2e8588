import { DOMParser, onErrorStopParsing } from '@xmldom/xmldom';

/** Reads XML 1.0; its `parseFromString` throws when a text is not well-formed. */
export function createXmlParser(): DOMParser {
  return new DOMParser({
    locator: false,
    onError: onErrorStopParsing,
    // XML 1.0's line ends only: the default also rewrites U+0085 and U+2028, which may stand in names.
    normalizeLineEndings: (source) => source.replaceAll('\r\n', '\n').replaceAll('\r', '\n'),
  });
}
