// Sphinx's search lists a page only if it has every word of a query, knows no numbers, and gives
// all that it lists one of four scores. This one takes a question as students type it: pages with
// more of its words, and with its rarer words, come first.
"use strict";
{
  // As evergreen.pages.search takes them.
  const NUMBER = /(?<![\w.])\d+(?:[.,]\d+)*(?:e[+-]?\d+)?(?!\w)/gi;
  const RAISED = /[\u00b2\u00b3\u00b9\u2070-\u209c]/g;
  const SHARE = 0.55; // of what the best page has of a query; pages with less are left out

  const words = (query) => {
    const plain = query.replaceAll(RAISED, " ");
    const numbers = plain.match(NUMBER) ?? [];
    const rest = splitQuery(plain.replaceAll(NUMBER, " "));
    return [...rest, ...numbers].map((word) => word.toLowerCase()).filter(Boolean);
  };

  Search._parseQuery = (query) => {
    const all = words(query);
    const telling = all.filter((word) => !stopwords.includes(word));
    const chosen = telling.length ? telling : all;
    const stemmer = new Stemmer();
    if (SPHINX_HIGHLIGHT_ENABLED)
      localStorage.setItem("sphinx_highlight_terms", chosen.join(" "));
    const terms = new Set(chosen.map((word) => stemmer.stemWord(word)));
    return [query, terms, new Set(), new Set(chosen), new Set(all)];
  };

  // How many letters added, left out or changed make one word of another (Levenshtein).
  const slips = (typed, meant) => {
    let row = [...meant, ""].map((_, place) => place);
    [...typed].forEach((letter, line) => {
      const next = [line + 1];
      [...meant].forEach((other, place) => next.push(
        Math.min(next[place] + 1, row[place + 1] + 1, row[place] + (letter !== other))));
      row = next;
    });
    return row.at(-1);
  };

  // The pages with a word, each with how well it fits there: the word itself, a longer one, or
  // else one with slips of the keyboard.
  const found = (word) => {
    const { terms, titleterms } = Search._index;
    const fits = new Map();
    const note = (index, known, fit) => {
      for (const page of [index[known]].flat())
        fits.set(page, Math.max(fits.get(page) ?? 0, fit));
    };
    for (const [index, weight] of [[terms, 1], [titleterms, 1.5]]) {
      if (Object.hasOwn(index, word)) note(index, word, weight);
      else if (word.length > 2)
        for (const known of Object.keys(index))
          if (known.startsWith(word)) note(index, known, 0.7 * weight);
          else if (known.includes(word)) note(index, known, 0.4 * weight);
    }
    const most = word.length > 7 ? 2 : 1;
    if (!fits.size && word.length > 4 && /^\p{L}+$/u.test(word))
      for (const index of [terms, titleterms])
        for (const known of Object.keys(index))
          if (known.length > 4 && word.startsWith(known)) note(index, known, 0.5);
          else if (Math.abs(known.length - word.length) <= most && slips(word, known) <= most)
            note(index, known, 0.5);
    return fits;
  };

  Search.performTermsSearch = (query) => {
    const { docnames, filenames, titles } = Search._index;
    const scores = new Map();
    for (const word of query) {
      const fits = found(word);
      const rarity = Math.log(1 + docnames.length / (fits.size || 1));
      for (const [page, fit] of fits) scores.set(page, (scores.get(page) ?? 0) + fit * rarity);
    }
    const best = Math.max(...scores.values());
    return [...scores].filter(([, score]) => score >= SHARE * best).map(([page, score]) =>
      [docnames[page], titles[page], "", null, (14 * score) / best, filenames[page]]);
  };

  // A page is parsed for its summary. This page's policy would judge its style attributes, and
  // complain of each.
  const textOf = Search.htmlToText;
  Search.htmlToText = (html, anchor) => textOf(html.replaceAll(/ style="[^"]*"/g, ""), anchor);
}
