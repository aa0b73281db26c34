"""Words of a reply that say that a value is an example or that there is no answer, in the languages with most writers.

They only take weight from a value: one that is kept back wrongly is asked for again. Other languages are read as plain
text.
"""

import re

_EXAMPLES = (
    r"\b(?:z\. ?B\.|p\. ?ex\.|p\. ?ej\.|bijv\.)|\b(?:zum Beispiel|beispielsweise|par exemple|por ejemplo|por exemplo"
    r"|(?:per|ad) esempio|bijvoorbeeld|например)\b|例如|比如|例えば|たとえば|예를 들"
)
_POSSIBLE = (
    r"\b(?:würden?|wären?|könnten?|sähen?|serai(?:t|ent)|pourrai(?:t|ent)|ressemblerai(?:t|ent)|serían?|podrían?"
    r"|sarebbe(?:ro)?|potrebbe(?:ro)?|seriam?|poderiam?|zou(?:den)?|бы)\b"
)
_MODELS = (
    r"\b(?:Beispiel\w*|Muster|Vorlage|exemple|modèle|ejemplo|plantilla|esempio|exemplo|modelo|voorbeeld|пример\w*|шаблон)\b"
    r"|示例|例子|范例|格式|形式|サンプル|예시|형식"
)
_NOT = (
    r"\b(?:nicht|kein\w*|pas|no (?:es|son)|non (?:è|sono)|não|niet|geen|не|wenn|falls|если)\b"
    r"|不是|假如|如果|[您你]是[说指]|もし|만약|아니라"
)
EXAMPLE = re.compile(rf"(?:{_EXAMPLES}|{_POSSIBLE}|{_NOT})[^:：]{{0,24}}\Z", re.IGNORECASE)  # noqa: RUF001 - wide forms
"""What says that the value which follows is not the one: `zum Beispiel `, `sería `, `nicht `."""
EXAMPLE_LINE = re.compile(rf"{_EXAMPLES}|{_POSSIBLE}|{_MODELS}", re.IGNORECASE)
"""What a line says if what follows shows a form."""
LABEL = re.compile(
    rf"(?:{_EXAMPLES}|{_MODELS}|\b(?:(?:counter-?)?examples?|sample|e\.g|format|template"
    r"|placeholder|illustration|hypothetical(?:ly)?|schema|expected)\b)"
    r"[^\n:：=]{0,40}[:：=]\W{0,6}\Z",  # noqa: RUF001 - wide forms
    re.IGNORECASE,
)
"""What names the value behind it on the line as an example: `Example output: `."""
REFUSAL = re.compile(
    r"\b(?:(?:kann|können|konnten?|weiß|wissen|habe|haben|kenne|kennen|finde)\b[^.!?\n]{0,40}?\b(?:nicht|kein\w*)"
    r"|(?:ne (?:peux|sais|dispose|connais|trouve)|n['’](?:ai|ai pu|arrive)) (?:pas|aucun\w*|rien)"  # noqa: RUF001 - quotes
    r"|no (?:puedo|sé|tengo|dispongo|conozco|encuentro|encontré)|non (?:posso|so|ho|conosco|trovo)"
    r"|não (?:posso|sei|tenho|consigo|conheço|encontrei)|(?:weet|kan|heb|ken|vind)\b[^.!?\n]{0,30}?\b(?:niet|geen)"
    r"|не (?:могу|знаю|имею|наш[её]л|удалось))\b"
    r"|无法|不能|不知道|没有(?:找到|数据|信息|足够)|でき(?:ません|ない)|[わ分]かりません|ありません|없습니다|모르겠|모릅니다",
    re.IGNORECASE,
)
"""`Das kann ich nicht sagen`, `no tengo`, `无法`."""
REQUEST = re.compile(
    r"\b(?:bitte (?:gib|geben|sende|senden|schick\w*|teil\w*|stell\w*|nenn\w*)|(?:kannst|könnten|können) (?:du|Sie) mir"
    r"|(?:veuillez|merci de|pouvez-vous|pourriez-vous) (?:me )?(?:fournir|partager|envoyer|donner|indiquer|coller)"
    r"|(?:por favor,? (?:proporcion\w*|compart\w*|envía\w*|envie\w*|forne\w*|indi\w*))"
    r"|(?:fornisc\w*|inviami|inviaci|condivid\w*) (?:il|la|lo|i|le|un|una|più)\b"
    r"|(?:geef|stuur|deel) (?:me|mij|alstublieft)|(?:пожалуйста,? )?(?:предоставьте|пришлите|отправьте))\b"
    r"|请(?:提供|发送|给出|分享)|(?:提供|送って|共有して|教えて)(?:して)?ください|(?:제공|공유|보내)(?:해)? ?주세요",
    re.IGNORECASE,
)
"""`Bitte geben Sie`, `veuillez fournir`, `请提供`: what the answer would need."""
