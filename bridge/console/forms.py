"""What is filled in; each form carries a token that another site cannot know."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import AnyOf, InputRequired, Length

from bridge.console.languages import LANGUAGES

_LONGEST = 64
_LONGEST_HEADER = 200


class SignInForm(FlaskForm):  # type: ignore[misc]  # the library has no types
    """The console's password."""

    password = PasswordField(validators=[InputRequired(), Length(max=1024)])


class LanguageForm(FlaskForm):  # type: ignore[misc]  # the library has no types
    """Another language, and the page to go on with."""

    language = StringField(validators=[AnyOf(LANGUAGES)])
    page = HiddenField(validators=[Length(max=2048)])


class CallsForm(FlaskForm):  # type: ignore[misc]  # the library has no types
    """Which of the recent calls are looked for."""

    number = StringField(validators=[Length(max=_LONGEST)])
    owner = StringField(validators=[Length(max=_LONGEST)])
    extension = StringField(validators=[Length(max=_LONGEST)])
    hotline = StringField(validators=[Length(max=_LONGEST)])
    outcome = StringField(validators=[Length(max=_LONGEST)])
    day = StringField(validators=[Length(max=_LONGEST)])


class SetUpForm(FlaskForm):  # type: ignore[misc]  # the library has no types
    """The type of a preset; what it needs stands beside."""

    type = HiddenField(validators=[InputRequired(), Length(max=_LONGEST)])


class FileForm(FlaskForm):  # type: ignore[misc]  # the library has no types
    """A customers' file, and what of it is meant where its headers do not say so."""

    file = FileField(validators=[FileRequired()])
    sheet = StringField(validators=[Length(max=_LONGEST_HEADER)])
    phone = StringField(validators=[Length(max=_LONGEST_HEADER)])
    owner = StringField(validators=[Length(max=_LONGEST_HEADER)])


class ForgetForm(FlaskForm):  # type: ignore[misc]  # the library has no types
    """A customer's number, and whether it was asked once more whether that is meant."""

    number = StringField(validators=[InputRequired(), Length(max=_LONGEST)])
    sure = HiddenField(validators=[AnyOf(["", "yes"])], default="")


class TryForm(FlaskForm):  # type: ignore[misc]  # the library has no types
    """A source that is left alone."""

    name = HiddenField(validators=[InputRequired(), Length(max=256)])


class ConfirmForm(FlaskForm):  # type: ignore[misc]  # the library has no types
    """A list that is doubted, what was said of it when it was looked at, and whether that is meant."""

    name = HiddenField(validators=[InputRequired(), Length(max=256)])
    told = HiddenField(validators=[InputRequired(), Length(max=4096)])
    sure = HiddenField(validators=[AnyOf(["", "yes"])], default="")


class NumberForm(FlaskForm):  # type: ignore[misc]  # the library has no types
    """A customer's number, and the hotline that he dialled."""

    number = StringField(validators=[InputRequired(), Length(max=_LONGEST)])
    hotline = StringField(validators=[Length(max=_LONGEST)])
