"""What a page looks like and weighs: style, fonts, scripts, policy, formulas, cards."""
